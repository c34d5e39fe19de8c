// Where the shop is. As it stands: what `npm start` starts on this machine, with a simulated WeChat.
//
// With your own: `server` is the HTTPS origin that you have entered as request domain at WeChat, and the appid in
// project.config.json is yours.
// 换成自己的：server 填已在微信后台登记的 request 合法域名（HTTPS），project.config.json 里填自己的 appid。
module.exports = {
  // What the app is called in yaopai.toml.
  app: 'shop',
  server: 'http://127.0.0.1:8443',
}
