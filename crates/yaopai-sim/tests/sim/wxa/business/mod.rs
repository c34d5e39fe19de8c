mod getuserencryptkey;
mod getuserphonenumber;
