mod checkencryptedmsg;
mod getuserencryptkey;
mod getuserphonenumber;
