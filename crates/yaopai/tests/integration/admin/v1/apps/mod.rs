mod access_token;
