phone.load({
config: {"app":{"pages":["pages/home/home","pages/order/order","pages/devices/devices","pages/bind/bind"],"window":{"navigationBarTitleText":"街角小店","navigationBarBackgroundColor":"#f6f3ec","navigationBarTextStyle":"black","backgroundColor":"#f6f3ec","backgroundTextStyle":"dark"},"tabBar":{"color":"#655f54","selectedColor":"#a3332a","backgroundColor":"#fffdf8","borderStyle":"white","list":[{"pagePath":"pages/home/home","text":"商城"},{"pagePath":"pages/order/order","text":"订单"},{"pagePath":"pages/devices/devices","text":"我的"}]},"style":"v2","sitemapLocation":"sitemap.json"},"units":{"pages/bind/bind":{"usingComponents":{}},"pages/devices/devices":{"usingComponents":{}},"pages/order/order":{"usingComponents":{}},"pages/home/home":{"enablePullDownRefresh":true,"usingComponents":{}}}},
styles: {"app":"wx-page {\n  --paper: #f6f3ec;\n  --card: #fffdf8;\n  --well: #efe9dd;\n  --ink: #24211c;\n  --soft: #655f54;\n  --line: #e4ddcf;\n  --accent: #a3332a;\n  --good: #24664a;\n  --good-well: #e2efe5;\n  --warn: #7d5200;\n  --warn-well: #f8ecd2;\n  --serif: \"Songti SC\", \"STSong\", \"Noto Serif CJK SC\", \"Source Han Serif SC\", serif;\n  min-height: 100%;\n  background: var(--paper);\n  color: var(--ink);\n  font-family: -apple-system, \"PingFang SC\", \"Noto Sans CJK SC\", \"Helvetica Neue\", sans-serif;\n  font-size: calc(30 * var(--rpx));\n  line-height: 1.5;\n}\n.page { box-sizing: border-box; padding: calc(24 * var(--rpx)) calc(36 * var(--rpx)) calc(calc(72 * var(--rpx)) + env(safe-area-inset-bottom)); }\n.card { padding: calc(36 * var(--rpx)); border: calc(1 * var(--rpx)) solid var(--line); border-radius: calc(36 * var(--rpx)); background: var(--card); box-shadow: 0 calc(2 * var(--rpx)) calc(4 * var(--rpx)) rgba(60, 50, 30, .04), 0 calc(12 * var(--rpx)) calc(40 * var(--rpx)) rgba(60, 50, 30, .05); }\n.kicker { color: var(--accent); font-size: calc(24 * var(--rpx)); font-weight: 600; letter-spacing: calc(4 * var(--rpx)); }\n.display { margin-top: calc(8 * var(--rpx)); font-family: var(--serif); font-size: calc(52 * var(--rpx)); font-weight: 700; line-height: 1.3; }\n.lead { margin-top: calc(12 * var(--rpx)); color: var(--soft); font-size: calc(28 * var(--rpx)); }\n.section { margin: calc(56 * var(--rpx)) 0 calc(20 * var(--rpx)); color: var(--soft); font-size: calc(24 * var(--rpx)); font-weight: 600; letter-spacing: calc(2 * var(--rpx)); }\n.soft { color: var(--soft); font-size: calc(26 * var(--rpx)); }\n.figure { font-variant-numeric: tabular-nums; }\nwx-button.act {\n  box-sizing: border-box; width: 100% !important; min-height: calc(92 * var(--rpx)); margin: 0; padding: 0 calc(40 * var(--rpx));\n  border: 0; border-radius: calc(999 * var(--rpx)); background: var(--accent); color: #fffdf8;\n  font-size: calc(31 * var(--rpx)); font-weight: 600; line-height: calc(92 * var(--rpx)); text-align: center;\n}\nwx-button.act::after { border: 0; }\nwx-button.act.small { width: auto !important; min-height: calc(64 * var(--rpx)); padding: 0 calc(34 * var(--rpx)); font-size: calc(27 * var(--rpx)); line-height: calc(64 * var(--rpx)); }\nwx-button.act.quiet { background: var(--well); color: var(--ink); }\nwx-button.act.bare { background: transparent; color: var(--soft); font-weight: 400; }\nwx-button.act.pressed { opacity: .75; }\nwx-button.act[disabled] { background: var(--well); color: #8b8475; }\nwx-button.act.bare[disabled] { background: transparent; }\n.tile { display: flex; flex: none; align-items: center; justify-content: center; width: calc(120 * var(--rpx)); height: calc(120 * var(--rpx)); border-radius: calc(30 * var(--rpx)); background: var(--well); color: var(--ink); font-family: var(--serif); font-size: calc(54 * var(--rpx)); font-weight: 600; }\n.tile.tea { background: linear-gradient(150deg, #e9f3e8, #cfe3d4); color: var(--good); }\n.tile.rice { background: linear-gradient(150deg, #fbf2da, #f0dfb3); color: var(--warn); }\n.tile.ink { background: linear-gradient(150deg, #ecebea, #d0cdca); color: #2c2a28; }\n.chip { display: inline-block; padding: calc(4 * var(--rpx)) calc(20 * var(--rpx)); border-radius: calc(999 * var(--rpx)); background: var(--well); color: var(--soft); font-size: calc(23 * var(--rpx)); line-height: 1.6; }\n.chip.good { background: var(--good-well); color: var(--good); }\n.chip.warn { background: var(--warn-well); color: var(--warn); }\n.notice { display: flex; align-items: center; justify-content: space-between; gap: calc(20 * var(--rpx)); margin-bottom: calc(24 * var(--rpx)); padding: calc(22 * var(--rpx)) calc(28 * var(--rpx)); border-radius: calc(24 * var(--rpx)); background: var(--warn-well); color: var(--warn); font-size: calc(27 * var(--rpx)); }\n.notice-act { flex: none; padding: calc(8 * var(--rpx)) 0 calc(8 * var(--rpx)) calc(12 * var(--rpx)); font-weight: 600; }\n.blank { padding: calc(140 * var(--rpx)) calc(24 * var(--rpx)) 0; text-align: center; }\n.seal { display: flex; align-items: center; justify-content: center; width: calc(144 * var(--rpx)); height: calc(144 * var(--rpx)); margin: 0 auto calc(40 * var(--rpx)); border-radius: calc(40 * var(--rpx)); background: var(--well); color: var(--accent); font-family: var(--serif); font-size: calc(68 * var(--rpx)); font-weight: 700; }\n.blank-title { font-family: var(--serif); font-size: calc(40 * var(--rpx)); font-weight: 700; }\n.blank-text { margin: calc(16 * var(--rpx)) 0 calc(48 * var(--rpx)); color: var(--soft); font-size: calc(28 * var(--rpx)); }\n.bone { border-radius: calc(16 * var(--rpx)); background: var(--well); animation: breathe 1.4s ease-in-out infinite; }\n@keyframes breathe { 50% { opacity: .45; } }\n\n","pages/bind/bind":":where(wx-page[route=\"pages/bind/bind\"]) .ways { display: flex; gap: calc(6 * var(--rpx)); margin: calc(48 * var(--rpx)) 0 calc(36 * var(--rpx)); padding: calc(6 * var(--rpx)); border-radius: calc(24 * var(--rpx)); background: var(--well); }\n:where(wx-page[route=\"pages/bind/bind\"]) .way { flex: 1; padding: calc(14 * var(--rpx)) calc(8 * var(--rpx)); border-radius: calc(19 * var(--rpx)); color: var(--soft); font-size: calc(27 * var(--rpx)); text-align: center; white-space: nowrap; }\n:where(wx-page[route=\"pages/bind/bind\"]) .way.chosen { background: var(--card); color: var(--ink); font-weight: 600; box-shadow: 0 calc(2 * var(--rpx)) calc(8 * var(--rpx)) rgba(60, 50, 30, .1); }\n:where(wx-page[route=\"pages/bind/bind\"]) .label { margin: 0 0 calc(10 * var(--rpx)) calc(8 * var(--rpx)); color: var(--soft); font-size: calc(26 * var(--rpx)); }\n:where(wx-page[route=\"pages/bind/bind\"]) .field { box-sizing: border-box; width: 100%; height: calc(96 * var(--rpx)); margin-bottom: calc(28 * var(--rpx)); padding: 0 calc(28 * var(--rpx)); border: calc(1 * var(--rpx)) solid var(--line); border-radius: calc(24 * var(--rpx)); background: var(--card); color: var(--ink); font-size: calc(32 * var(--rpx)); }\n:where(wx-page[route=\"pages/bind/bind\"]) .about { margin: calc(8 * var(--rpx)) calc(8 * var(--rpx)) calc(36 * var(--rpx)); color: var(--soft); }\n:where(wx-page[route=\"pages/bind/bind\"]) .go { margin-top: calc(20 * var(--rpx)); }\n:where(wx-page[route=\"pages/bind/bind\"]) .ask { text-align: center; }\n:where(wx-page[route=\"pages/bind/bind\"]) .masked { margin: calc(18 * var(--rpx)) 0; font-family: var(--serif); font-size: calc(52 * var(--rpx)); font-weight: 700; }\n\n","pages/devices/devices":":where(wx-page[route=\"pages/devices/devices\"]) .person { display: flex; align-items: center; gap: calc(28 * var(--rpx)); }\n:where(wx-page[route=\"pages/devices/devices\"]) .tile.face { background: var(--well); color: var(--accent); }\n:where(wx-page[route=\"pages/devices/devices\"]) .what { flex: 1; min-width: 0; }\n:where(wx-page[route=\"pages/devices/devices\"]) .name { font-size: calc(33 * var(--rpx)); font-weight: 600; line-height: 1.3; }\n:where(wx-page[route=\"pages/devices/devices\"]) .list { padding: calc(4 * var(--rpx)) calc(36 * var(--rpx)); }\n:where(wx-page[route=\"pages/devices/devices\"]) .line { display: flex; align-items: center; gap: calc(24 * var(--rpx)); min-height: calc(120 * var(--rpx)); border-top: calc(1 * var(--rpx)) solid var(--line); }\n:where(wx-page[route=\"pages/devices/devices\"]) .line:first-child { border-top: 0; }\n:where(wx-page[route=\"pages/devices/devices\"]) .line .name { font-size: calc(30 * var(--rpx)); }\n:where(wx-page[route=\"pages/devices/devices\"]) .hint { margin: calc(16 * var(--rpx)) calc(8 * var(--rpx)) 0; font-size: calc(24 * var(--rpx)); }\n:where(wx-page[route=\"pages/devices/devices\"]) .leave { margin-top: calc(72 * var(--rpx)); }\n:where(wx-page[route=\"pages/devices/devices\"]) .alone { margin-top: calc(20 * var(--rpx)); }\n\n","pages/order/order":":where(wx-page[route=\"pages/order/order\"]) .due { text-align: center; }\n:where(wx-page[route=\"pages/order/order\"]) .sum { font-family: var(--serif); font-size: calc(72 * var(--rpx)); font-weight: 700; line-height: 1.3; }\n:where(wx-page[route=\"pages/order/order\"]) .pay { margin-top: calc(32 * var(--rpx)); }\n:where(wx-page[route=\"pages/order/order\"]) .hint { margin-top: calc(16 * var(--rpx)); font-size: calc(24 * var(--rpx)); }\n:where(wx-page[route=\"pages/order/order\"]) .settled { padding: calc(12 * var(--rpx)) 0; color: var(--good); font-weight: 600; }\n:where(wx-page[route=\"pages/order/order\"]) .list { padding: calc(4 * var(--rpx)) calc(32 * var(--rpx)); }\n:where(wx-page[route=\"pages/order/order\"]) .line { display: flex; align-items: center; gap: calc(24 * var(--rpx)); padding: calc(26 * var(--rpx)) 0; border-top: calc(1 * var(--rpx)) solid var(--line); }\n:where(wx-page[route=\"pages/order/order\"]) .line:first-child { border-top: 0; }\n:where(wx-page[route=\"pages/order/order\"]) .tile.tiny { width: calc(84 * var(--rpx)); height: calc(84 * var(--rpx)); border-radius: calc(22 * var(--rpx)); font-size: calc(38 * var(--rpx)); }\n:where(wx-page[route=\"pages/order/order\"]) .what { flex: 1; }\n:where(wx-page[route=\"pages/order/order\"]) .name { font-weight: 600; line-height: 1.3; }\n:where(wx-page[route=\"pages/order/order\"]) .end { display: flex; flex-direction: column; align-items: flex-end; gap: calc(6 * var(--rpx)); font-weight: 600; }\n:where(wx-page[route=\"pages/order/order\"]) .end .chip { font-weight: 400; }\n\n","pages/home/home":":where(wx-page[route=\"pages/home/home\"]) .hero { padding: calc(20 * var(--rpx)) calc(4 * var(--rpx)) 0; }\n:where(wx-page[route=\"pages/home/home\"]) .row { display: flex; align-items: center; gap: calc(28 * var(--rpx)); margin-bottom: calc(20 * var(--rpx)); padding: calc(24 * var(--rpx)) calc(28 * var(--rpx)) calc(24 * var(--rpx)) calc(24 * var(--rpx)); }\n:where(wx-page[route=\"pages/home/home\"]) .what { flex: 1; min-width: 0; }\n:where(wx-page[route=\"pages/home/home\"]) .name { font-size: calc(33 * var(--rpx)); font-weight: 600; line-height: 1.3; }\n:where(wx-page[route=\"pages/home/home\"]) .price { margin-top: calc(6 * var(--rpx)); font-size: calc(28 * var(--rpx)); font-weight: 600; }\n\n"},
templates: (()=>{var G={};var R={};var X=function(a){return a==null?Object.create(null):a};var Y=function(a){return a==null?'':String(a)};var Z=function(a,b){if(a===true)return true;if(a)return a[b]};var P=function(a){return typeof a==='function'?a:()=>{}};var Q={a:function(a){for(var i=0;i<a.length;i++)if(a[i])return a},b:function(b){var a=Object.values(b);for(var i=0;i<a.length;i++)if(a[i])return a}};var getRegExp=function(a,b){return new RegExp(a,b)};var getDate=function(){var D=Date;return new (D.bind.apply(D,[null].concat([].slice.call(arguments))))};G["templates/states"]=(()=>{var H={};var S;var I=(P)=>{if(!S)S=Object.assign({},H);return S[P]};H["notice"]=(R,C,D,U,A)=>{if(typeof R.setEventListenerWrapper==='function')R.setEventListenerWrapper(Q.C);var L=R.c,M=R.m,O=R.r,K=U===true,b,e=(C,T)=>{C||K||U.notice?T(Y(D.notice)):T()},f,h=(C,T)=>{C||K||U.retry?T(Y(D.retry)):T()},g=(C,T,E)=>{if(f===1){E("view",{},(N,C)=>{if(C)L(N,"notice-act");if(C)R.v(N,"tap","reload",!1,!1,!1,!1)},h)}},d=(C,T,E,B)=>{E("text",{},(N,C)=>{},e);f=D.retry?1:0;B(f,g)},c=(C,T,E)=>{if(b===1){E("view",{},(N,C)=>{if(C)L(N,"notice");if(C)R.i(N,"notice")},d)}},a=(C,T,E,B)=>{b=D.notice?1:0;B(b,c);C=!1;U=Object.create(null);K=!1};A=A||{};return {C:a,B:A}};H["ended"]=(R,C,D,U,A)=>{if(typeof R.setEventListenerWrapper==='function')R.setEventListenerWrapper(Q.C);var L=R.c,M=R.m,O=R.r,K=U===true,c=(C,T)=>{C?T("别"):T()},d=(C,T)=>{C||K||Z(Z(U.t,"ended"),"title")?T(Y(X(X(D.t).ended).title)):T()},e=(C,T)=>{C||K||Z(U.me,"why")?T(Y(X(D.me).why)):T()},f=(C,T)=>{C||K||Z(Z(U.t,"ended"),"again")?T(Y(X(X(D.t).ended).again)):T()},b=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"seal")},c);E("view",{},(N,C)=>{if(C)L(N,"blank-title")},d);E("view",{},(N,C)=>{if(C)L(N,"blank-text")},e);E("button",{},(N,C)=>{if(C)L(N,"act");if(C)O(N,"hover-class","pressed");if(C||K||!!U.busy||undefined)O(N,"loading",D.busy==="login");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C)R.v(N,"tap","logIn",!1,!1,!1,!1);if(C)R.i(N,"again")},f)},a=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"blank");if(C)R.i(N,"ended")},b);C=!1;U=Object.create(null);K=!1};A=A||{};return {C:a,B:A}};H[""]=(R,C,D,U,A)=>{if(typeof R.setEventListenerWrapper==='function')R.setEventListenerWrapper(Q.C);var L=R.c,M=R.m,O=R.r,K=U===true,a=(C)=>{C=!1;U=Object.create(null);K=!1};A=A||{};return {C:a,B:A}};return Object.assign(function(R){return H[R]},{_:H})})();G["pages/home/home"]=(()=>{var H={};var S;var I=(P)=>{if(!S)S=Object.assign({},(G["templates/states"]||{})._,H);return S[P]};H[""]=(R,C,D,U,A)=>{if(typeof R.setEventListenerWrapper==='function')R.setEventListenerWrapper(Q.C);var L=R.c,M=R.m,O=R.r,K=U===true,c,d=(C,T,E,B,F,S,J)=>{var $A=I(c);if(c&&$A)$A(R,C,{notice:D.notice,retry:X(D.t).retry},K||(C?Object.create(null):{notice:U.notice,retry:Z(U.t,"retry")})).C(C,T,E,B,F,S,J)},e,g,h=(C,T,E,B,F,S,J)=>{var $A=I(g);if(g&&$A)$A(R,C,{t:D.t,me:D.me,busy:D.busy},K||(C?Object.create(null):{t:U.t,me:U.me,busy:U.busy})).C(C,T,E,B,F,S,J)},j=(C,T)=>{C||K||!!(Z(U.me,"number")||Z(Z(U.t,"me"),"guest"))||undefined?T(Y(X(D.me).number||X(X(D.t).me).guest)):T()},k=(C,T)=>{C||K||!!(Z(U.me,"greeting")||Z(Z(U.t,"home"),"guest"))||undefined?T(Y(X(D.me).greeting||X(X(D.t).home).guest)):T()},l=(C,T)=>{var $A=X(D.me).state==="user";C||K||!!Z(U.me,"state")||($A?Z(Z(U.t,"home"),"member"):Z(Z(U.t,"home"),"visitor"))?T(Y($A?X(X(D.t).home).member:X(X(D.t).home).visitor)):T()},i=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"kicker")},j);E("view",{},(N,C)=>{if(C)L(N,"display");if(C)R.i(N,"greeting")},k);E("view",{},(N,C)=>{if(C)L(N,"lead")},l)},m=(C,T)=>{C||K||Z(Z(U.t,"home"),"goods")?T(Y(X(X(D.t).home).goods)):T()},n,p=(C,q,r,s,t,u,T,E)=>{var w=(C)=>{},y=(C)=>{},z=(C)=>{},x=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"bone");if(C)R.y(N,"width: 40%; height: 32rpx")},y);E("view",{},(N,C)=>{if(C)L(N,"bone");if(C)R.y(N,"width: 75%; height: 26rpx; margin-top: 18rpx")},z)},v=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"bone");if(C)R.y(N,"width: 120rpx; height: 120rpx")},w);E("view",{},(N,C)=>{if(C)L(N,"what")},x)};E("view",{},(N,C)=>{if(C)L(N,"card row")},v);t=undefined;s=undefined},o=(C,T,E,B,F)=>{if(n===1){F([1,2,3],"*this",C||K?undefined:Q.a([]),null,p)}},q=(C,r,s,t,u,v,T,E)=>{var x=(C,T)=>{C||K||Z(t,"glyph")?T(Y(X(r).glyph)):T()},z=(C,T)=>{C||K||Z(t,"name")?T(Y(X(r).name)):T()},A0=(C,T)=>{C||K||Z(t,"about")?T(Y(X(r).about)):T()},B0=(C,T)=>{C||K||Z(t,"price")?T(Y(X(r).price)):T()},y=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"name")},z);E("view",{},(N,C)=>{if(C)L(N,"soft")},A0);E("view",{},(N,C)=>{if(C)L(N,"price figure")},B0)},C0=(C,T)=>{C||K||Z(Z(U.t,"home"),"order")?T(Y(X(X(D.t).home).order)):T()},w=(C,T,E)=>{E("view",{},(N,C)=>{if(C||K||!!Z(t,"item")||undefined)L(N,"tile "+Y(X(r).item))},x);E("view",{},(N,C)=>{if(C)L(N,"what")},y);E("button",{},(N,C)=>{if(C)L(N,"act small");if(C)O(N,"hover-class","pressed");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C||K||!!(U.busy||Z(t,"item"))||undefined)O(N,"loading",D.busy===X(r).item);if(C||K||Z(t,"item"))R.d(N,"item",X(r).item,!0);if(C)R.v(N,"tap","order",!1,!1,!1,!1);if(C||K||!!Z(t,"item")||undefined)R.i(N,"order-"+Y(X(r).item))},C0)};E("view",{},(N,C)=>{if(C)L(N,"card row")},w);u=undefined;t=undefined},f=(C,T,E,B,F,S,J)=>{if(e===1){g="ended";B(g,h)}else{E("view",{},(N,C)=>{if(C)L(N,"hero")},i);E("view",{},(N,C)=>{if(C)L(N,"section")},m);n=!D.loaded?1:0;B(n,o);F(D.goods,"item",C||K?undefined:U.goods,[0,"goods"],q)}},b=(C,T,E,B,F,S,J)=>{c="notice";B(c,d);e=X(D.me).state==="ended"?1:0;B(e,f)},a=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"page")},b);C=!1;U=Object.create(null);K=!1};A=A||{};return {C:a,B:A}};return Object.assign(function(R){return H[R]},{_:H})})();G["pages/order/order"]=(()=>{var H={};var S;var I=(P)=>{if(!S)S=Object.assign({},(G["templates/states"]||{})._,H);return S[P]};H[""]=(R,C,D,U,A)=>{if(typeof R.setEventListenerWrapper==='function')R.setEventListenerWrapper(Q.C);var L=R.c,M=R.m,O=R.r,K=U===true,c,d=(C,T,E,B,F,S,J)=>{var $A=I(c);if(c&&$A)$A(R,C,{notice:D.notice,retry:X(D.t).retry},K||(C?Object.create(null):{notice:U.notice,retry:Z(U.t,"retry")})).C(C,T,E,B,F,S,J)},e,g,h=(C,T,E,B,F,S,J)=>{var $A=I(g);if(g&&$A)$A(R,C,{t:D.t,me:D.me,busy:D.busy},K||(C?Object.create(null):{t:U.t,me:U.me,busy:U.busy})).C(C,T,E,B,F,S,J)},j=(C,T)=>{C?T("单"):T()},k=(C,T)=>{C||K||Z(Z(U.t,"orders"),"guest")?T(Y(X(X(D.t).orders).guest)):T()},l=(C,T)=>{C||K||Z(Z(U.t,"orders"),"guestHint")?T(Y(X(X(D.t).orders).guestHint)):T()},m=(C,T)=>{C||K||Z(Z(U.t,"me"),"link")?T(Y(X(X(D.t).me).link)):T()},i=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"seal")},j);E("view",{},(N,C)=>{if(C)L(N,"blank-title")},k);E("view",{},(N,C)=>{if(C)L(N,"blank-text")},l);E("button",{},(N,C)=>{if(C)L(N,"act");if(C)O(N,"hover-class","pressed");if(C)R.v(N,"tap","toBind",!1,!1,!1,!1);if(C)R.i(N,"bind")},m)},n=(C)=>{},o=(C)=>{},q=(C,T)=>{C?T("单"):T()},r=(C,T)=>{C||K||Z(Z(U.t,"orders"),"empty")?T(Y(X(X(D.t).orders).empty)):T()},s=(C,T)=>{C||K||Z(Z(U.t,"orders"),"emptyHint")?T(Y(X(X(D.t).orders).emptyHint)):T()},t=(C,T)=>{C||K||Z(Z(U.t,"orders"),"toShop")?T(Y(X(X(D.t).orders).toShop)):T()},p=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"seal")},q);E("view",{},(N,C)=>{if(C)L(N,"blank-title")},r);E("view",{},(N,C)=>{if(C)L(N,"blank-text")},s);E("button",{},(N,C)=>{if(C)L(N,"act quiet");if(C)O(N,"hover-class","pressed");if(C)R.v(N,"tap","toShop",!1,!1,!1,!1)},t)},v,x=(C,T)=>{C||K||Z(Z(U.t,"orders"),"open")?T(Y(X(X(D.t).orders).open)):T()},y=(C,T)=>{C||K||!!(U.sum||U.openText)||undefined?T(Y(D.sum||D.openText)):T()},z,B0=(C,T)=>{C||K||U.openText?T(Y(D.openText)):T()},A0=(C,T,E)=>{if(z===1){E("view",{},(N,C)=>{if(C)L(N,"soft")},B0)}},D0=(C,T)=>{C||K||Z(Z(U.t,"orders"),"pay")?T(Y(X(X(D.t).orders).pay)):T()},C0=(C,T,E)=>{E("button",{},(N,C)=>{if(C)L(N,"act");if(C)O(N,"hover-class","pressed");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C||K||!!U.busy||undefined)O(N,"loading",D.busy==="pay");if(C)R.v(N,"tap","pay",!1,!1,!1,!1);if(C)R.i(N,"pay")},D0)},E0=(C,T)=>{C||K||Z(Z(U.t,"orders"),"payHint")?T(Y(X(X(D.t).orders).payHint)):T()},F0=(C,T)=>{C||K||Z(Z(U.t,"orders"),"none")?T(Y(X(X(D.t).orders).none)):T()},w=(C,T,E,B)=>{if(v===1){E("view",{},(N,C)=>{if(C)L(N,"soft")},x);E("view",{},(N,C)=>{if(C)L(N,"sum figure");if(C)R.i(N,"open")},y);z=D.sum?1:0;B(z,A0);E("view",{},(N,C)=>{if(C)L(N,"pay")},C0);E("view",{},(N,C)=>{if(C)L(N,"soft hint")},E0)}else{E("view",{},(N,C)=>{if(C)L(N,"settled");if(C)R.i(N,"settled")},F0)}},u=(C,T,E,B)=>{v=D.open>0?1:0;B(v,w)},G0=(C,T)=>{C||K||Z(Z(U.t,"orders"),"all")?T(Y(X(X(D.t).orders).all)):T()},I0=(C,J0,K0,L0,M0,N0,T,E)=>{var P0=(C,T)=>{C||K||Z(L0,"glyph")?T(Y(X(J0).glyph)):T()},R0=(C,T)=>{C||K||Z(L0,"name")?T(Y(X(J0).name)):T()},S0=(C,T)=>{C||K||Z(L0,"number")?T(Y(X(J0).number)):T()},Q0=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"name")},R0);E("view",{},(N,C)=>{if(C)L(N,"soft figure")},S0)},U0=(C,T)=>{C||K||Z(L0,"price")?T(Y(X(J0).price)):T()},V0=(C,T)=>{var $A=X(J0).paid;C||K||!!Z(L0,"paid")||($A?Z(Z(U.t,"orders"),"paid"):Z(Z(U.t,"orders"),"waiting"))?T(Y($A?X(X(D.t).orders).paid:X(X(D.t).orders).waiting)):T()},T0=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"figure")},U0);E("view",{},(N,C)=>{var $A=X(J0).paid;if(C||K||!!(Z(L0,"paid")||($A?undefined:undefined))||undefined)L(N,"chip "+Y($A?"good":"warn"))},V0)},O0=(C,T,E)=>{E("view",{},(N,C)=>{if(C||K||!!Z(L0,"item")||undefined)L(N,"tile "+Y(X(J0).item)+" tiny")},P0);E("view",{},(N,C)=>{if(C)L(N,"what")},Q0);E("view",{},(N,C)=>{if(C)L(N,"end")},T0)};E("view",{},(N,C)=>{if(C)L(N,"line")},O0);M0=undefined;L0=undefined},H0=(C,T,E,B,F)=>{F(D.orders,"number",C||K?undefined:U.orders,[0,"orders"],I0)},f=(C,T,E,B,F,S,J)=>{if(e===1){g="ended";B(g,h)}else if(e===2){E("view",{},(N,C)=>{if(C)L(N,"blank");if(C)R.i(N,"guest")},i)}else if(e===3){E("view",{},(N,C)=>{if(C)L(N,"bone");if(C)R.y(N,"height: 240rpx; border-radius: 36rpx")},n);E("view",{},(N,C)=>{if(C)L(N,"bone");if(C)R.y(N,"height: 320rpx; border-radius: 36rpx; margin-top: 40rpx")},o)}else if(e===4){E("view",{},(N,C)=>{if(C)L(N,"blank");if(C)R.i(N,"empty")},p)}else{E("view",{},(N,C)=>{if(C)L(N,"card due")},u);E("view",{},(N,C)=>{if(C)L(N,"section")},G0);E("view",{},(N,C)=>{if(C)L(N,"card list")},H0)}},b=(C,T,E,B,F,S,J)=>{c="notice";B(c,d);e=X(D.me).state==="ended"?1:X(D.me).state==="guest"?2:!D.loaded?3:X(D.orders).length===0?4:0;B(e,f)},a=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"page")},b);C=!1;U=Object.create(null);K=!1};A=A||{};return {C:a,B:A}};return Object.assign(function(R){return H[R]},{_:H})})();G["pages/devices/devices"]=(()=>{var H={};var S;var I=(P)=>{if(!S)S=Object.assign({},(G["templates/states"]||{})._,H);return S[P]};H[""]=(R,C,D,U,A)=>{if(typeof R.setEventListenerWrapper==='function')R.setEventListenerWrapper(Q.C);var L=R.c,M=R.m,O=R.r,K=U===true,c,d=(C,T,E,B,F,S,J)=>{var $A=I(c);if(c&&$A)$A(R,C,{notice:D.notice,retry:X(D.t).retry},K||(C?Object.create(null):{notice:U.notice,retry:Z(U.t,"retry")})).C(C,T,E,B,F,S,J)},e,g,h=(C,T,E,B,F,S,J)=>{var $A=I(g);if(g&&$A)$A(R,C,{t:D.t,me:D.me,busy:D.busy},K||(C?Object.create(null):{t:U.t,me:U.me,busy:U.busy})).C(C,T,E,B,F,S,J)},j=(C,T)=>{C||K||Z(U.me,"face")?T(Y(X(D.me).face)):T()},l=(C,T)=>{C||K||!!(Z(U.me,"name")||Z(Z(U.t,"me"),"guest"))||undefined?T(Y(X(D.me).name||X(X(D.t).me).guest)):T()},m=(C,T)=>{C||K||!!(Z(U.me,"number")||Z(Z(U.t,"me"),"unlinked"))||undefined?T(Y(X(D.me).number||X(X(D.t).me).unlinked)):T()},k=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"name");if(C)R.i(N,"who")},l);E("view",{},(N,C)=>{if(C)L(N,"soft")},m)},n,p=(C,T)=>{C||K||Z(Z(U.t,"bind"),"link")?T(Y(X(X(D.t).bind).link)):T()},o=(C,T,E)=>{if(n===1){E("button",{},(N,C)=>{if(C)L(N,"act small");if(C)O(N,"hover-class","pressed");if(C)R.v(N,"tap","toBind",!1,!1,!1,!1);if(C)R.i(N,"bind")},p)}},i=(C,T,E,B)=>{E("view",{},(N,C)=>{if(C)L(N,"tile face")},j);E("view",{},(N,C)=>{if(C)L(N,"what")},k);n=X(D.me).state==="guest"?1:0;B(n,o)},q,v=(C,T)=>{C||K||Z(Z(U.t,"me"),"steps")?T(Y(X(X(D.t).me).steps)):T()},u=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"name")},v)},w,y=(C,T)=>{C||K||U.steps?T(Y(D.steps)):T()},z=(C,T)=>{C||K||Z(Z(U.t,"me"),"show")?T(Y(X(X(D.t).me).show)):T()},x=(C,T,E)=>{if(w===1){E("view",{},(N,C)=>{if(C)L(N,"figure");if(C)R.i(N,"today")},y)}else{E("button",{},(N,C)=>{if(C)L(N,"act small quiet");if(C)O(N,"hover-class","pressed");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C||K||!!U.busy||undefined)O(N,"loading",D.busy==="steps");if(C)R.v(N,"tap","steps",!1,!1,!1,!1);if(C)R.i(N,"steps")},z)}},t=(C,T,E,B)=>{E("view",{},(N,C)=>{if(C)L(N,"what")},u);w=D.steps?1:0;B(w,x)},s=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"line")},t)},r=(C,T,E)=>{if(q===1){E("view",{},(N,C)=>{if(C)L(N,"card list alone")},s)}},A0=(C,T)=>{C||K||Z(Z(U.t,"me"),"devices")?T(Y(X(X(D.t).me).devices)):T()},C0,F0=(C)=>{},E0=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"bone");if(C)R.y(N,"width: 60%; height: 32rpx")},F0)},D0=(C,T,E)=>{if(C0===1){E("view",{},(N,C)=>{if(C)L(N,"line")},E0)}},G0=(C,H0,I0,J0,K0,L0,T,E)=>{var O0=(C,T)=>{C||K||Z(J0,"name")?T(Y(X(H0).name)):T()},P0=(C,T)=>{C||K||Z(J0,"seen")?T(Y(X(H0).seen)):T()},N0=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"name")},O0);E("view",{},(N,C)=>{if(C)L(N,"soft")},P0)},Q0,S0=(C,T)=>{C||K||Z(Z(U.t,"me"),"here")?T(Y(X(X(D.t).me).here)):T()},T0=(C,T)=>{C||K||Z(Z(U.t,"me"),"kick")?T(Y(X(X(D.t).me).kick)):T()},R0=(C,T,E)=>{if(Q0===1){E("view",{},(N,C)=>{if(C)L(N,"chip good")},S0)}else{E("button",{},(N,C)=>{if(C)L(N,"act small quiet kick");if(C)O(N,"hover-class","pressed");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C||K||Z(J0,"id"))R.d(N,"id",X(H0).id,!0);if(C)R.v(N,"tap","kick",!1,!1,!1,!1);if(C||K||!!Z(J0,"id")||undefined)R.i(N,"kick-"+Y(X(H0).id))},T0)}},M0=(C,T,E,B)=>{E("view",{},(N,C)=>{if(C)L(N,"what")},N0);Q0=X(H0).current?1:0;B(Q0,R0)};E("view",{},(N,C)=>{if(C)L(N,"line")},M0);K0=undefined;J0=undefined},B0=(C,T,E,B,F)=>{C0=!D.loaded?1:0;B(C0,D0);F(D.devices,"id",C||K?undefined:U.devices,[0,"devices"],G0)},H0=(C,T)=>{C||K||Z(Z(U.t,"me"),"devicesHint")?T(Y(X(X(D.t).me).devicesHint)):T()},J0=(C,T)=>{C||K||Z(Z(U.t,"me"),"logout")?T(Y(X(X(D.t).me).logout)):T()},K0,M0=(C,T)=>{C||K||Z(Z(U.t,"me"),"unlink")?T(Y(X(X(D.t).me).unlink)):T()},L0=(C,T,E)=>{if(K0===1){E("button",{},(N,C)=>{if(C)L(N,"act bare");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C)R.v(N,"tap","unlink",!1,!1,!1,!1);if(C)R.i(N,"unlink")},M0)}},I0=(C,T,E,B)=>{E("button",{},(N,C)=>{if(C)L(N,"act quiet");if(C)O(N,"hover-class","pressed");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C||K||!!U.busy||undefined)O(N,"loading",D.busy==="logout");if(C)R.v(N,"tap","logOut",!1,!1,!1,!1);if(C)R.i(N,"logout")},J0);K0=X(D.me).state==="user"?1:0;B(K0,L0)},f=(C,T,E,B,F,S,J)=>{if(e===1){g="ended";B(g,h)}else{E("view",{},(N,C)=>{if(C)L(N,"card person")},i);q=D.counts?1:0;B(q,r);E("view",{},(N,C)=>{if(C)L(N,"section")},A0);E("view",{},(N,C)=>{if(C)L(N,"card list")},B0);E("view",{},(N,C)=>{if(C)L(N,"soft hint")},H0);E("view",{},(N,C)=>{if(C)L(N,"leave")},I0)}},b=(C,T,E,B,F,S,J)=>{c="notice";B(c,d);e=X(D.me).state==="ended"?1:0;B(e,f)},a=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"page")},b);C=!1;U=Object.create(null);K=!1};A=A||{};return {C:a,B:A}};return Object.assign(function(R){return H[R]},{_:H})})();G["pages/bind/bind"]=(()=>{var H={};var S;var I=(P)=>{if(!S)S=Object.assign({},(G["templates/states"]||{})._,H);return S[P]};H[""]=(R,C,D,U,A)=>{if(typeof R.setEventListenerWrapper==='function')R.setEventListenerWrapper(Q.C);var L=R.c,M=R.m,O=R.r,K=U===true,c,e,f=(C,T,E,B,F,S,J)=>{var $A=I(e);if(e&&$A)$A(R,C,{t:D.t,me:D.me,busy:D.busy},K||(C?Object.create(null):{t:U.t,me:U.me,busy:U.busy})).C(C,T,E,B,F,S,J)},g=(C,T)=>{C||K||Z(Z(U.t,"bind"),"head")?T(Y(X(X(D.t).bind).head)):T()},h=(C,T)=>{C||K||Z(Z(U.t,"bind"),"lead")?T(Y(X(X(D.t).bind).lead)):T()},j=(C,k,l,m,n,o,T,E)=>{var p=(C,T)=>{C||K||m?T(Y(k)):T()};E("view",{},(N,C)=>{var $A=D.way===l;if(C||K||!!(U.way||n||($A?undefined:undefined))||undefined)L(N,"way "+Y($A?"chosen":""));if(C||K||n)R.d(N,"way",l,!0);if(C)R.v(N,"tap","choose",!1,!1,!1,!1);if(C||K||!!n||undefined)R.i(N,"way-"+Y(l))},p);n=undefined;m=undefined},i=(C,T,E,B,F)=>{F(X(X(D.t).bind).ways,"*this",C||K?undefined:Z(Z(U.t,"bind"),"ways"),[0,"t","bind","ways"],j)},k,l=(C,T,E,B,F,S,J)=>{var $A=I(k);if(k&&$A)$A(R,C,{notice:D.notice},K||(C?Object.create(null):{notice:U.notice})).C(C,T,E,B,F,S,J)},m,p=(C,T)=>{C||K||Z(Z(U.t,"bind"),"account")?T(Y(X(X(D.t).bind).account)):T()},q=(C)=>{},r=(C,T)=>{C||K||Z(Z(U.t,"bind"),"password")?T(Y(X(X(D.t).bind).password)):T()},s=(C)=>{},u=(C,T)=>{C||K||Z(Z(U.t,"bind"),"link")?T(Y(X(X(D.t).bind).link)):T()},t=(C,T,E)=>{E("button",{},(N,C)=>{if(C)L(N,"act");if(C)O(N,"hover-class","pressed");if(C)O(N,"form-type","submit");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C||K||!!U.busy||undefined)O(N,"loading",D.busy==="bind");if(C)R.i(N,"link")},u)},o=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"label")},p);E("input",{},(N,C)=>{if(C)L(N,"field");if(C)O(N,"name","account");if(C||K||Z(Z(U.t,"bind"),"accountHint"))O(N,"placeholder",X(X(D.t).bind).accountHint);if(C)R.i(N,"account")},q);E("view",{},(N,C)=>{if(C)L(N,"label")},r);E("input",{},(N,C)=>{if(C)L(N,"field");if(C)O(N,"name","password");if(C)O(N,"password",true);if(C||K||Z(Z(U.t,"bind"),"passwordHint"))O(N,"placeholder",X(X(D.t).bind).passwordHint);if(C)R.i(N,"password")},s);E("view",{},(N,C)=>{if(C)L(N,"go")},t)},v=(C,T)=>{C||K||Z(Z(U.t,"bind"),"phoneLead")?T(Y(X(X(D.t).bind).phoneLead)):T()},w=(C,T)=>{C||K||Z(Z(U.t,"bind"),"phone")?T(Y(X(X(D.t).bind).phone)):T()},y=(C,T)=>{C||K||Z(Z(U.t,"bind"),"isItYou")?T(Y(X(X(D.t).bind).isItYou)):T()},z=(C,T)=>{C||K||U.masked?T(Y(D.masked)):T()},A0=(C,T)=>{C||K||Z(Z(U.t,"bind"),"onlyYours")?T(Y(X(X(D.t).bind).onlyYours)):T()},x=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"soft")},y);E("view",{},(N,C)=>{if(C)L(N,"masked");if(C)R.i(N,"masked")},z);E("view",{},(N,C)=>{if(C)L(N,"soft")},A0)},C0=(C,T)=>{C||K||Z(Z(U.t,"bind"),"mine")?T(Y(X(X(D.t).bind).mine)):T()},B0=(C,T,E)=>{E("button",{},(N,C)=>{if(C)L(N,"act");if(C)O(N,"hover-class","pressed");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C)R.v(N,"tap","confirm",!1,!1,!1,!1);if(C)R.i(N,"mine")},C0)},D0=(C,T)=>{C||K||Z(Z(U.t,"bind"),"notMine")?T(Y(X(X(D.t).bind).notMine)):T()},E0=(C,T)=>{C||K||Z(Z(U.t,"bind"),"codeLead")?T(Y(X(X(D.t).bind).codeLead)):T()},F0=(C,T)=>{C||K||Z(Z(U.t,"bind"),"code")?T(Y(X(X(D.t).bind).code)):T()},G0=(C)=>{},I0=(C,T)=>{C||K||Z(Z(U.t,"bind"),"look")?T(Y(X(X(D.t).bind).look)):T()},H0=(C,T,E)=>{E("button",{},(N,C)=>{if(C)L(N,"act");if(C)O(N,"hover-class","pressed");if(C||K||!!(U.busy||U.code)||undefined)O(N,"disabled",D.busy!==""||D.code==="");if(C||K||!!U.busy||undefined)O(N,"loading",D.busy!=="");if(C)R.v(N,"tap","preview",!1,!1,!1,!1);if(C)R.i(N,"look")},I0)},J0=(C,T)=>{C||K||Z(Z(U.t,"bind"),"scan")?T(Y(X(X(D.t).bind).scan)):T()},n=(C,T,E)=>{if(m===1){E("form",{},(N,C)=>{if(C)R.v(N,"submit","byForm",!1,!1,!1,!1)},o)}else if(m===2){E("view",{},(N,C)=>{if(C)L(N,"about")},v);E("button",{},(N,C)=>{if(C)L(N,"act");if(C)O(N,"hover-class","pressed");if(C)O(N,"open-type","getPhoneNumber");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C||K||!!U.busy||undefined)O(N,"loading",D.busy==="bind");if(C)R.v(N,"getphonenumber","byPhone",!1,!1,!1,!1);if(C)R.i(N,"phone")},w)}else if(m===3){E("view",{},(N,C)=>{if(C)L(N,"card ask")},x);E("view",{},(N,C)=>{if(C)L(N,"go")},B0);E("button",{},(N,C)=>{if(C)L(N,"act bare");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C)R.v(N,"tap","refuse",!1,!1,!1,!1);if(C)R.i(N,"not-mine")},D0)}else{E("view",{},(N,C)=>{if(C)L(N,"about")},E0);E("view",{},(N,C)=>{if(C)L(N,"label")},F0);E("input",{},(N,C)=>{if(C)L(N,"field");if(C||K||U.code)O(N,"value",D.code);if(C||K||Z(Z(U.t,"bind"),"codeHint"))O(N,"placeholder",X(X(D.t).bind).codeHint);if(C)R.v(N,"input","type",!1,!1,!1,!1);if(C)R.i(N,"code")},G0);E("view",{},(N,C)=>{if(C)L(N,"go")},H0);E("button",{},(N,C)=>{if(C)L(N,"act bare");if(C||K||!!U.busy||undefined)O(N,"disabled",D.busy!=="");if(C)R.v(N,"tap","scan",!1,!1,!1,!1);if(C)R.i(N,"scan")},J0)}},d=(C,T,E,B,F,S,J)=>{if(c===1){e="ended";B(e,f)}else{E("view",{},(N,C)=>{if(C)L(N,"display")},g);E("view",{},(N,C)=>{if(C)L(N,"lead")},h);E("view",{},(N,C)=>{if(C)L(N,"ways")},i);k="notice";B(k,l);m=D.way===0?1:D.way===1?2:D.masked?3:0;B(m,n)}},b=(C,T,E,B)=>{c=X(D.me).state==="ended"?1:0;B(c,d)},a=(C,T,E)=>{E("view",{},(N,C)=>{if(C)L(N,"page")},b);C=!1;U=Object.create(null);K=!1};A=A||{};return {C:a,B:A}};return Object.assign(function(R){return H[R]},{_:H})})();return G})(),
scripts: function (scope) { with (scope) { return {
"pages/home/home.js": [{"../../lib/page":"lib/page.js","../../lib/shop":"lib/shop.js","../../lib/money":"lib/money.js","../../i18n/index":"i18n/index.js"}, function (require, module, exports) {"use strict";
var __async = (__this, __arguments, generator) => {
  return new Promise((resolve, reject) => {
    var fulfilled = (value) => {
      try {
        step(generator.next(value));
      } catch (e) {
        reject(e);
      }
    };
    var rejected = (value) => {
      try {
        step(generator.throw(value));
      } catch (e) {
        reject(e);
      }
    };
    var step = (x) => x.done ? resolve(x.value) : Promise.resolve(x.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
const page = require("../../lib/page");
const shop = require("../../lib/shop");
const money = require("../../lib/money");
const t = require("../../i18n/index");
page({
  title: "home",
  data: { goods: [] },
  load() {
    return __async(this, null, function* () {
      const { goods, prices = {} } = yield shop("GET", "/goods");
      const linked = this.wanted && this.data.me.state === "user";
      if (linked) {
        this.wanted = false;
        wx.showToast({ title: t.home.linked, icon: "none" });
      }
      return { goods: goods.map((item) => Object.assign({ item, price: money(prices[item]) }, t.goods[item] || { name: item, glyph: item[0] })) };
    });
  },
  order(event) {
    const { item } = event.currentTarget.dataset;
    return this.once(item, () => __async(this, null, function* () {
      yield shop("POST", "/orders", { item }).catch((error) => {
        this.wanted = error.code === "not_bound";
        throw error;
      });
      wx.showToast({ title: t.home.ordered, icon: "success" });
    }));
  }
});
}],
"i18n/index.js": [{"./en":"i18n/en.js","./zh":"i18n/zh.js"}, function (require, module, exports) {"use strict";
const en = require("./en");
const zh = require("./zh");
function language() {
  const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync();
  return /^zh/i.test(info.language || "zh") ? "zh" : "en";
}
module.exports = language() === "zh" ? zh : en;
}],
"i18n/zh.js": [{}, function (require, module, exports) {"use strict";
module.exports = {
  tabs: ["商城", "订单", "我的"],
  titles: { home: "街角小店", order: "我的订单", devices: "我的", bind: "关联账号" },
  goods: {
    tea: { name: "茶叶", about: "明前嫩芽，手工揉捻", glyph: "茶" },
    rice: { name: "大米", about: "当季新米", glyph: "米" },
    ink: { name: "墨锭", about: "松烟墨，陈放三年", glyph: "墨" }
  },
  home: {
    welcome: (name) => `${name}，欢迎光临`,
    guest: "随便看看",
    member: "账号已关联，点一下即可下单。",
    visitor: "游客可以随便逛；第一次下单时关联一次账号。",
    goods: "今日在售",
    order: "下单",
    ordered: "已下单",
    linked: "已关联，现在可以下单了。"
  },
  orders: {
    open: "待付款",
    none: "没有待付款的订单",
    count: (n) => `${n} 单`,
    pay: "立即付款",
    payHint: "付款时由微信在后台确认是你本人的微信。",
    paidFor: (n) => `已付 ${n} 单`,
    all: "全部订单",
    number: (n) => `第 ${n} 单`,
    waiting: "待付款",
    paid: "已付款",
    empty: "还没有订单",
    emptyHint: "在商城下单后，会显示在这里。",
    toShop: "去逛逛",
    guest: "订单属于账号",
    guestHint: "关联一次账号，在你的每台设备上都能看到订单。"
  },
  bind: {
    head: "你是哪位顾客？",
    lead: "把微信关联到商城账号，只需一次。",
    ways: ["密码", "手机号", "绑定码"],
    account: "账号",
    accountHint: "商城账号",
    password: "密码",
    passwordHint: "商城密码",
    link: "关联",
    incomplete: "请填写账号和密码。",
    phoneLead: "商城凭微信验证过的手机号找到你的账号。",
    phone: "授权手机号",
    denied: "不授权手机号也可以，请用另外两种方式。",
    codeLead: "在电脑上登录商城网站，把显示的绑定码填到这里。",
    code: "绑定码",
    codeHint: "yb_…",
    scan: "扫一扫",
    look: "看看是谁的",
    isItYou: "绑定码属于这个账号",
    onlyYours: "确认是你自己的，再关联：别人可能把他的绑定码给了你。",
    mine: "是我的，关联",
    notMine: "不是我的",
    done: "已关联"
  },
  me: {
    guest: "游客",
    unlinked: "尚未关联商城账号",
    number: (user) => `商城用户 ${user}`,
    link: "关联账号",
    steps: "微信步数",
    show: "查看",
    today: (n) => `今天 ${n} 步`,
    devices: "已登录的设备",
    devicesHint: "不是你的设备，请让它下线。",
    kinds: { phone: "手机", tablet: "平板", pc: "电脑", other: "设备" },
    here: "本机",
    seen: (minutes) => minutes < 2 ? "正在使用" : minutes < 120 ? `${minutes} 分钟前` : `${Math.round(minutes / 60)} 小时前`,
    kick: "下线",
    kickAsk: "让这台设备下线？使用它的人需要重新登录。",
    kicked: "已下线",
    logout: "退出登录",
    unlink: "解除关联",
    unlinkAsk: "解除这个微信与商城账号的关联？订单会保留，重新关联后仍可查看。",
    unlinkDone: "已解除关联",
    yes: "确定",
    no: "取消"
  },
  ended: {
    title: "本机已退出登录",
    logout: "期待再次光临。",
    again: "重新登录"
  },
  retry: "重试",
  loading: "请稍候…",
  errors: {
    network: "网络不通，请检查网络后重试。",
    session_kicked: "你已在另一台设备上将本机下线。",
    session_replaced: "你在别处登录，本机已下线。",
    session_ended: "已退出登录。",
    login_required: "微信未能确认是你本人，请重试。",
    user_disabled: "该账号已停用，请联系商城。",
    binding_conflict: "该账号已关联其他微信。",
    bind_code_invalid: "绑定码已失效，请在网站上重新显示一个。",
    code_invalid: "微信没有认可，请再点一次。",
    code_used: "微信没有认可，请再点一次。",
    platform_busy: "微信繁忙，请稍后重试。",
    platform_unavailable: "微信暂时没有响应，请稍后重试。",
    backend_unavailable: "商城暂时没有响应，请稍后重试。",
    unavailable: "商城暂时没有响应，请稍后重试。",
    decryption_failed: "微信给的数据无法读取，请一分钟后再试。",
    rate_limited: "操作过于频繁，请过几分钟再试。",
    proof_replayed: "可能已经成功了，请先查看再重试。",
    other: "没有成功，请重试。"
  }
};
}],
"i18n/en.js": [{}, function (require, module, exports) {"use strict";
module.exports = {
  tabs: ["Shop", "Orders", "Me"],
  titles: { home: "The corner shop", order: "Your orders", devices: "Me", bind: "Link your account" },
  goods: {
    tea: { name: "Tea", about: "Young spring leaves", glyph: "茶" },
    rice: { name: "Rice", about: "The new harvest", glyph: "米" },
    ink: { name: "Ink", about: "Pine soot, well aged", glyph: "墨" }
  },
  home: {
    welcome: (name) => `Good to see you, ${name}`,
    guest: "Have a look around",
    member: "Your account is linked. Orders take one tap.",
    visitor: "Looking is for everybody. For an order you link your account, once.",
    goods: "On the shelves today",
    order: "Order",
    ordered: "Ordered",
    linked: "Linked. Now you can order."
  },
  orders: {
    open: "To be paid",
    none: "Nothing to be paid",
    count: (n) => n === 1 ? "1 order" : `${n} orders`,
    pay: "Pay now",
    payHint: "WeChat confirms in the background that it is you.",
    paidFor: (n) => n === 1 ? "Paid" : `Paid for ${n}`,
    all: "All orders",
    number: (n) => `No. ${n}`,
    waiting: "open",
    paid: "paid",
    empty: "No orders yet",
    emptyHint: "What you order in the shop will be listed here.",
    toShop: "To the shop",
    guest: "Orders belong to an account",
    guestHint: "Link yours once, and they will be here on each of your devices."
  },
  bind: {
    head: "Who are you here?",
    lead: "Link your WeChat account to your account at the shop. Once is enough.",
    ways: ["Password", "Phone", "Code"],
    account: "Account",
    accountHint: "Name of your account",
    password: "Password",
    passwordHint: "Its password",
    link: "Link",
    incomplete: "Please enter both.",
    phoneLead: "The shop finds your account by the phone number that WeChat has verified.",
    phone: "Allow phone number",
    denied: "Without the number, take one of the other two ways.",
    codeLead: "Sign in at the website of the shop, and bring the code that it shows over here.",
    code: "Code",
    codeHint: "yb_…",
    scan: "Scan it",
    look: "Whose is it?",
    isItYou: "The code is for this account",
    onlyYours: "Link it only if it is yours: somebody may have given you a code of theirs.",
    mine: "It is mine, link it",
    notMine: "Not mine",
    done: "Linked"
  },
  me: {
    guest: "Guest",
    unlinked: "Not linked to an account of the shop",
    number: (user) => `Customer ${user}`,
    link: "Link your account",
    steps: "WeChat steps",
    show: "Show",
    today: (n) => `${n} today`,
    devices: "Signed-in devices",
    devicesHint: "Sign out any that you do not know.",
    kinds: { phone: "Phone", tablet: "Tablet", pc: "Computer", other: "A device" },
    here: "this one",
    seen: (minutes) => minutes < 2 ? "active now" : minutes < 120 ? `active ${minutes} min ago` : `active ${Math.round(minutes / 60)} h ago`,
    kick: "Sign out",
    kickAsk: "Sign out this device? Whoever uses it has to log in again.",
    kicked: "Signed out",
    logout: "Log out",
    unlink: "Unlink the account",
    unlinkAsk: "Unlink this WeChat account from the shop? Your orders stay; to see them you link again.",
    unlinkDone: "Unlinked",
    // WeChat takes four characters at most.
    yes: "Yes",
    no: "No"
  },
  ended: {
    title: "You are logged out here",
    logout: "See you soon.",
    again: "Log in again"
  },
  retry: "Try again",
  loading: "One moment…",
  errors: {
    network: "No connection. Look at your network, then try again.",
    session_kicked: "Another of your devices has signed you out here.",
    session_replaced: "You have logged in elsewhere, so you were signed out here.",
    session_ended: "You have logged out.",
    login_required: "WeChat could not confirm that it is you. Please try again.",
    user_disabled: "This account is closed. Please ask the shop.",
    binding_conflict: "This account is linked to another WeChat user.",
    bind_code_invalid: "This code is no longer good. Have the website show a new one.",
    code_invalid: "WeChat did not accept that. Please press again.",
    code_used: "WeChat did not accept that. Please press again.",
    platform_busy: "WeChat is busy right now. Please try again in a moment.",
    platform_unavailable: "WeChat does not answer right now. Please try again in a moment.",
    backend_unavailable: "The shop does not answer right now. Please try again in a moment.",
    unavailable: "The shop does not answer right now. Please try again in a moment.",
    decryption_failed: "WeChat did not hand it over in a form that can be read. Please try again in a minute.",
    rate_limited: "Too many tries. Please wait some minutes.",
    proof_replayed: "This may have been done already. Please look before you try again.",
    other: "That did not work. Please try again."
  }
};
}],
"lib/money.js": [{}, function (require, module, exports) {"use strict";
module.exports = (fen) => fen === void 0 ? "" : `¥${(fen / 100).toFixed(2)}`;
}],
"lib/shop.js": [{"yaopai":"miniprogram_npm/yaopai/index.js","../config":"config.js"}, function (require, module, exports) {"use strict";
const yaopai = require("yaopai");
const { server } = require("../config");
const network = yaopai.client().installed ? wx : yaopai.client();
module.exports = function shop(method, path, data) {
  return new Promise((resolve, reject) => {
    network.request({
      url: server + path,
      method,
      data,
      success: ({ statusCode, header, data: body }) => {
        if (statusCode >= 200 && statusCode < 300) return resolve(body);
        reject({ status: statusCode, code: field(header, "yaopai-code") });
      },
      fail: reject
    });
  });
};
function field(header, name) {
  const found = Object.keys(header || {}).find((key) => key.toLowerCase() === name);
  return found && header[found];
}
}],
"config.js": [{}, function (require, module, exports) {"use strict";
module.exports = {
  // What the app is called in yaopai.toml.
  app: "shop",
  server: "http://127.0.0.1:8443"
};
}],
"miniprogram_npm/yaopai/index.js": [{}, function (require, module, exports) {"use strict";
var __async = (__this, __arguments, generator) => {
  return new Promise((resolve, reject) => {
    var fulfilled = (value) => {
      try {
        step(generator.next(value));
      } catch (e2) {
        reject(e2);
      }
    };
    var rejected = (value) => {
      try {
        step(generator.throw(value));
      } catch (e2) {
        reject(e2);
      }
    };
    var step = (x2) => x2.done ? resolve(x2.value) : Promise.resolve(x2.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
var e = { session_kicked: "已在别处退出登录|You were logged out elsewhere", session_replaced: "已在其他设备登录|You logged in on another device", session_ended: "已退出登录|You are logged out", session_limit: "登录设备过多，请先退出一台|Too many devices: log out on one first", user_disabled: "账号已停用|This account is disabled", binding_conflict: "该账号已绑定其他用户|Already linked to another account", rate_limited: "操作太频繁，请稍后再试|Too often. Try again later" };
function t(t2, n2, o2 = 0, r2, a2, i2 = "request") {
  let s2 = (e[n2] || "暂时不可用，请稍后再试|Not available now. Try again later").split("|");
  return Object.assign(new Error(r2 || s2[t2.q ? 0 : 1]), { name: "YaopaiError", errMsg: i2 + ":fail " + n2, code: n2, status: o2, retryIn: a2 });
}
var n = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", o = (e2) => encodeURIComponent(e2.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (e3) => e3[1] ? e3 : "�")), r = (e2) => Uint8Array.from(unescape(o(e2)), (e3) => e3.charCodeAt(0));
function a(e2) {
  let t2 = "";
  for (let o2 = 0; o2 < e2.length; o2 += 3) {
    let r2 = e2[o2] << 16 | e2[o2 + 1] << 8 | e2[o2 + 2];
    for (let a2 = 0; a2 < 4; a2++) t2 += o2 + a2 > e2.length ? "=" : n[r2 >> 18 - 6 * a2 & 63];
  }
  return t2;
}
function i(e2) {
  let t2 = [], o2 = 0, r2 = 0;
  for (let a2 of e2.replace(/=+$/, "")) o2 = o2 << 6 | n.indexOf(a2), r2 += 6, r2 > 7 && t2.push(o2 >> (r2 -= 8));
  return new Uint8Array(t2);
}
function s(e2, t2) {
  let n2 = new Uint8Array(e2.length + t2.length);
  return n2.set(e2), n2.set(t2, e2.length), n2;
}
var c = (e2) => new Promise((t2) => setTimeout(t2, e2)), l = () => {
}, u = (...e2) => Object.assign({}, ...e2);
function d(e2) {
  try {
    return e2();
  } catch (e3) {
  }
}
var f = (e2) => Math.abs(Date.now() - e2), h = (e2) => Date.now() + e2.p, p = (e2, t2, n2) => e2.w.forEach(([e3, o2]) => e3 === t2 && Promise.resolve(n2).then(o2));
function w(e2, { f: n2, r: o2, s: { data: r2 }, m: a2 }) {
  return t(e2, n2 || (o2 < 300 ? "malformed_answer" : "network"), o2, r2 && r2.message, a2 || void 0);
}
function y(e2, n2, o2) {
  return __async(this, null, function* () {
    let r2 = n2.s.data || {}, { token: a2 } = r2, s2 = r2.key || {};
    if (o2 ? r2.session_id !== o2.session.id : !r2.session_id || !a2) throw w(e2, n2);
    if (!o2 && (e2.n ? "hmac-sha256" !== s2.alg || i(s2.secret || "").length !== (e2.n < 2 ? 32 : 0) : r2.key)) throw t(e2, "key_refused", n2.r);
    let c2 = e2.e;
    if (o2 && (!c2 || c2.token !== o2.token)) return c2 || o2;
    e2.p = Date.parse(r2.server_time) - Date.now() || 0;
    let l2 = JSON.stringify(o2 && c2.session), d2 = Object.assign(a2 ? u(o2 && c2) : c2, { of: g(e2), skew: e2.p, session: { id: r2.session_id, bound: r2.bound, user: r2.user, claims: r2.claims, vouchedAt: Date.parse(r2.vouched_at) } });
    return a2 && ((!o2 || !e2.n) && (d2.token = a2), o2 || (d2.key = s2.secret), d2.at = Date.now(), d2.refresh = r2.refresh_in, d2.ids = [e2.a(), e2.a()], d2.note = void 0), e2.e = d2, e2.b && e2.b !== r2.user && b(e2), e2.b = r2.user, l2 !== JSON.stringify(d2.session) && (e2.l = {}, p(e2, "change")), yield v(e2, d2), d2;
  });
}
var g = (e2) => "1 " + e2.t.app + " " + e2.C + " " + e2.n, m = (e2) => ({ read: (t2) => e2.o("getStorage", { key: t2, encrypt: true }).then(({ data: e3 }) => e3, l), write: (t2, n2) => e2.o("setStorage", { key: t2, data: n2, encrypt: true }) });
function v(e2, t2) {
  let n2 = () => e2.o("removeStorage", { key: e2._ }).catch(l);
  return e2.R = ((o2) => __async(null, null, function* () {
    return yield o2, t2 ? m(e2).write(e2._, JSON.stringify(t2)).catch(n2) : n2();
  }))(e2.R);
}
function k(e2) {
  return __async(this, null, function* () {
    try {
      let t2 = JSON.parse(yield m(e2).read(e2._));
      t2.of === g(e2) && t2.token && t2.session.id && t2.ids[1] && (1 !== e2.n || t2.key) && (e2.e = t2, e2.b = t2.session.user, e2.p = t2.skew, p(e2, "change"));
    } catch (e3) {
    }
    e2.t.jar && (yield e2.t.jar.open(m(e2), h(e2)));
  });
}
function b(e2) {
  e2.E++, e2.t.jar && e2.t.jar.clear();
}
function _(e2, t2) {
  if (e2.e && e2.e.token === t2.token) return e2.e = void 0, e2.l = {}, v(e2), p(e2, "change"), true;
}
var S = [];
for (let e2 = 2; e2 < 312; e2++) S.every((t2) => e2 % t2) && S.push(e2);
var O = (e2) => Int32Array.from(S, (t2) => 4294967296 * Math.pow(t2, e2)), T = O(1 / 3), E = (e2, t2, n2) => (e2 >>> t2 | e2 << 32 - t2) ^ (e2 >>> n2 | e2 << 32 - n2);
function A(e2) {
  let t2 = e2.length, n2 = new Uint8Array(t2 + 72 & -64);
  n2.set(e2), n2[t2] = 128;
  let o2 = new DataView(n2.buffer);
  o2.setInt32(n2.length - 4, t2 << 3);
  let r2 = O(0.5), a2 = new Int32Array(64), i2 = new Int32Array(72);
  for (let e3 = 0; e3 < n2.length; e3 += 64) {
    i2.set(r2.subarray(0, 8), 64);
    for (let t3 = 0, n3 = 64; n3; t3++) {
      let r3 = a2[t3 - 15], s2 = a2[t3 - 2];
      a2[t3] = t3 < 16 ? o2.getInt32(e3 + 4 * t3) : a2[t3 - 16] + a2[t3 - 7] + (E(r3, 7, 18) ^ r3 >>> 3) + (E(s2, 17, 19) ^ s2 >>> 10);
      let c2 = i2[n3], l2 = i2[n3 + 1], u2 = i2[n3 + 2], d2 = i2[n3 + 4], f2 = i2[n3 + 7] + (E(d2, 6, 11) ^ (d2 >>> 25 | d2 << 7)) + (d2 & i2[n3 + 5] ^ ~d2 & i2[n3 + 6]) + T[t3] + a2[t3];
      i2[n3 + 3] += f2, i2[--n3] = f2 + (E(c2, 2, 13) ^ (c2 >>> 22 | c2 << 10)) + (c2 & l2 ^ c2 & u2 ^ l2 & u2);
    }
    for (let e4 = 0; e4 < 8; e4++) o2.setInt32(4 * e4, r2[e4] += i2[e4]);
  }
  return n2.subarray(0, 32);
}
function D(e2, t2) {
  let n2 = (t3) => new Uint8Array(64).map((n3, o2) => e2[o2] ^ t3);
  return A(s(n2(92), A(s(n2(54), t2))));
}
function j(e2) {
  let t2 = d(() => getCurrentPages()) || [], n2 = (e2.t.bindPage || "").split("?")[0];
  return { pages: t2, at: t2.map((e3) => "/" + e3.route).indexOf(n2) };
}
function P(e2) {
  let { pages: t2, at: n2 } = j(e2), o2 = e2.j;
  n2 < 0 || !o2 && !n2 || (e2.j = "", e2.o(o2 ? "redirectTo" : "navigateBack", o2 ? { url: o2 } : { delta: t2.length - n2 }).catch(l));
}
var C = (e2, { f: t2 }) => /^session_(missing|unknown|expired|revoked|reused|superseded)/.test(t2) || "proof_required" === t2 && !e2.n, q = (e2) => /^(session_(kicked|replaced|ended)|user_disabled)/.test(e2);
function M(e2, t2) {
  return __async(this, null, function* () {
    t2 && (e2.u = void 0, e2.M = 0);
    let n2 = e2.M - Date.now();
    if (!e2.e && !e2.y && n2 > 0 && n2 <= 6e4) throw e2.z;
    return e2.y || e2.e || (e2.y = (function(e3) {
      return __async(this, null, function* () {
        try {
          let t3 = yield e3.V(e3);
          return e3.J = 0, t3;
        } catch (t3) {
          throw e3.M = Date.now() + Math.min(1e3 << Math.min(e3.J++, 9), 6e4), e3.z = t3, /^40[39]/.test(t3.status) && I(e3, t3), t3;
        } finally {
          e3.y = void 0;
        }
      });
    })(e2));
  });
}
function U(e2) {
  return __async(this, null, function* () {
    let { app: t2, device: n2, key: o2 } = e2.t;
    for (let r2 = 0, a2 = 0; ; ) {
      let i2 = { app: t2, code: yield L(e2), request_id: e2.a(), key: o2 ? { wechat: { version: (yield $(e2, r2 > 0)).version } } : e2.n ? { alg: "hmac-sha256" } : void 0, device: n2, env_version: e2.G }, s2 = yield ee(e2, "POST", "/session", i2, null), l2 = s2.f;
      if (201 === s2.r) return y(e2, s2);
      if (/^(code_|login_r)/.test(l2) && !r2++) continue;
      let u2 = s2.m || 2;
      if (!/^platform_(busy|un)/.test(l2) || a2++ > 2 || u2 > 10) throw w(e2, s2);
      yield c(1e3 * u2);
    }
  });
}
function L(e2) {
  return __async(this, null, function* () {
    let { W: n2 } = e2;
    for (let o2 = 0; ; ) {
      if (f(n2[9]) < 6e4) throw t(e2, "login_quota");
      yield c(Math.min(n2[0] + 250 - Date.now() || 0, 250)), n2.unshift(Date.now());
      try {
        let { code: t2, authCode: n3 } = yield e2.o(e2.c.login ? "login" : "getAuthCode", { scopes: "auth_base" });
        return t2 || n3;
      } catch (n3) {
        if (o2++ > 1) throw t(e2, "platform_login");
        yield c(1e3 << o2);
      }
    }
  });
}
var $ = (e2, t2) => __async(null, null, function* () {
  return e2.t.key && e2.t.key.latest(e2.Z, t2);
});
function x(e2, n2, o2, r2) {
  n2 && !_(e2, n2) || (b(e2), e2.u = t(e2, o2, 401), r2 || I(e2, e2.u));
}
function I(e2, { code: t2, message: n2 }) {
  if (e2.l[t2] || (e2.l[t2] = 1, p(e2, "end", { code: t2, message: n2 }), e2.t.onEnd)) return;
  let o2 = e2.q, r2 = e2.u, a2 = o2 ? r2 ? "重新登录" : "好" : "OK";
  e2.o(e2.c.showModal ? "showModal" : "confirm", { title: "", content: n2 + (r2 && !o2 ? ". Log in again?" : ""), showCancel: !!r2, confirmText: a2, cancelText: o2 ? "取消" : "No", confirmButtonText: a2 }).then(({ confirm: t3 }) => t3 && r2 && M(e2, true)).catch(l);
}
function N(e2, t2, n2, o2) {
  let r2 = ((r3) => __async(null, null, function* () {
    yield r3;
    let a2 = yield Z(e2);
    return n2 && (a2.token !== n2.token || ("code" === t2 ? a2.session.vouchedAt > n2.session.vouchedAt : "refresh" === t2 && a2.at !== n2.at)) ? a2 : B(e2, t2, a2, o2);
  }))(e2.Q);
  return e2.Q = r2.catch(l), r2;
}
function B(e2, t2, n2, o2, r2) {
  return __async(this, null, function* () {
    let a2, i2 = "bind" === t2, { note: s2, ids: c2 } = n2, l2 = "object" == typeof s2 ? "code" : s2, d2 = (n3) => i2 && !r2 ? B(e2, t2, n3, o2, true) : n3;
    if (l2 && t2 !== l2 && ("superseded" !== t2 || "code" === l2)) {
      if ("bind" !== l2) {
        let r3 = yield B(e2, l2, n2);
        return i2 || "code" === t2 ? B(e2, t2, r3, o2) : r3;
      }
      return "refresh" === t2 ? n2 : (_(e2, n2), M(e2));
    }
    "superseded" === t2 && (c2[0] = e2.a()), "code" === t2 && (a2 = s2 || { code: yield L(e2), id: e2.a() }, yield $(e2, true)), e2.n || (n2.note = a2 || (i2 ? t2 : "refresh"), yield v(e2, n2));
    let f2 = yield i2 ? ee(e2, "POST", "/binding", u({ request_id: c2[1] }, o2), n2) : ee(e2, "POST", "/session/refresh", { request_id: a2 ? a2.id : c2[0], code: a2 && a2.code }, n2), h2 = f2.f;
    if (200 === f2.r) return y(e2, f2, n2);
    if ("session_superseded" === h2 && !e2.n && "superseded" !== t2) return n2.note = void 0, d2(yield B(e2, "superseded", n2));
    if (e2.H(e2, f2)) return _(e2, n2), d2(yield M(e2));
    if (q(h2) && x(e2, n2, h2), i2 && "login_required" === h2 && !r2) return n2.note = void 0, d2(yield B(e2, "code", n2));
    if (/^(binding_|(bind_)?code_|identity_|platform_bl)/.test(h2) && (n2.note = void 0, i2 && (c2[1] = e2.a()), yield v(e2, n2), a2 && /^code_/.test(h2) && !r2)) return B(e2, t2, n2, o2, true);
    throw w(e2, f2);
  });
}
function R(e2) {
  let t2 = e2.e;
  t2 && !e2.I && f(t2.at) >= 1e3 * t2.refresh && (e2.I = N(e2, "refresh", t2).catch(() => c(3e4)).then(() => e2.I = void 0));
}
function J(e2, t2) {
  for (let n2 in e2) if (n2.toLowerCase() === t2) return String(e2[n2]);
  return "";
}
function F(e2, t2) {
  for (let n2 in t2) {
    for (let t3 in e2) t3.toLowerCase() === n2.toLowerCase() && delete e2[t3];
    e2[n2] = t2[n2];
  }
}
function V(e2) {
  let t2 = /^(http|ws)(s?):\/\/((?:[\w.-]+|\[[\da-f:.]+])(?::[1-9]\d*)?)(\/[^?#]*)?(?:\?([^#]*))?(#.*)?$/i.exec(e2);
  if (!t2) return;
  let n2 = t2[2].toLowerCase(), o2 = t2[3].toLowerCase().replace(n2 ? /:443$/ : /:80$/, "");
  return { X: t2[1].toLowerCase() + n2, K: "http" + n2 + "://" + o2, S: o2, v: H(t2[4] || "/"), i: H(t2[5] || ""), tt: t2[6] || "" };
}
var z = (e2) => e2.X + "://" + e2.S + e2.v + (e2.i && "?" + e2.i);
function G(e2, t2) {
  t2 && (e2.i += (e2.i && "&") + H(t2));
}
var H = (e2) => e2.replace(/%(?![\da-f]{2})|[^!$-&(-;=?-Z_a-z~]+/gi, (e3) => o(e3).replace(/'/g, "%27")), Y = (e2) => Object.keys(e2).map((t2) => o(t2) + "=" + o(String("object" == typeof e2[t2] ? JSON.stringify(e2[t2]) : e2[t2]))).join("&"), K = (e2) => /^(GET|HEAD)$/.test(e2), W = (e2, t2, n2, o2) => new Promise((r2, a2) => {
  let i2, s2 = e2.c[t2.O](u(t2.t, { url: n2, header: o2, headers: o2, success(e3) {
    let t3 = e3.header || e3.headers || i2 || {};
    r2({ s: e3, P: t3, f: J(t3, "yaopai-code"), m: +J(t3, "retry-after") || 0, r: +(J(t3, "yaopai-status") || e3.statusCode || e3.status) });
  }, fail: a2, complete: void 0, yaopai: 1 }));
  s2 && ("request" !== t2.O && s2.onHeadersReceived && s2.onHeadersReceived(({ header: e3 }) => i2 = e3), t2.d && t2.d(s2));
});
function Z(e2) {
  return __async(this, null, function* () {
    if (yield e2.A, yield e2.R, e2.u) throw e2.u;
    let t2 = yield M(e2);
    return R(e2), t2;
  });
}
function Q(e2, n2) {
  return __async(this, null, function* () {
    let o2, r2, a2, i2, s2, u2 = {}, { et: p2, nt: w2 } = n2, { jar: g2 } = e2.t, m2 = p2 || K(n2.x);
    for (; ; ) {
      o2 = void 0 === w2 ? yield e2.rt(e2) : w2, r2 = o2 && o2.session.bound;
      let l2 = e2.E, d2 = z(n2.k), f2 = yield X(e2, n2, o2, d2);
      if (n2.L) throw t(e2, "abort");
      i2 = Date.now(), a2 = ++e2.B, s2 = { s: {}, P: {}, f: "network", r: 0, m: 0 };
      try {
        s2 = yield W(e2, n2, d2, f2), g2 && l2 === e2.E && g2.take(d2, { cookies: s2.s.cookies, header: s2.P }, h(e2));
      } catch (e3) {
        if (!p2) throw e3;
      }
      let y2 = v2(), m3 = u2[y2] = (u2[y2] || 0) + 1;
      if (!y2 || n2.L || m3 > (p2 && "wait" === y2 ? 3 : 1)) return s2;
      let k2 = 1e3 * s2.m || (/wait|internal/.test(y2) ? 500 << m3 : 0);
      if (k2 > 1e4) return s2;
      try {
        n2.F && (yield n2.F()), yield c(k2), "login" === y2 && (yield M(e2)), /^(code|superseded)/.test(y2) && (yield N(e2, y2, o2));
      } catch (e3) {
        return s2;
      }
    }
    function v2() {
      let { f: c2, r: u3, P: h2 } = s2, g3 = Date.parse(J(h2, "yaopai-time"));
      if (c2 && g3 && ("proof_stale" === c2 || Date.now() - i2 < 9e3) && (e2.p = g3 - Date.now()), o2 && J(h2, "yaopai-bound") && (function(e3, t2) {
        e3.N = e3.N || ee(e3, "GET", "/session", void 0, t2).then((n3) => __async(null, null, function* () {
          (yield y(e3, n3, t2)).session.bound && P(e3);
        })).catch(l).then(() => e3.N = void 0);
      })(e2, o2), p2 && (!u3 || !c2 && u3 > 499) || /^((backend_)?unavailable|rate_)/.test(c2)) return "wait";
      if (/^(proof_stale|internal)/.test(c2)) return c2;
      if ("proof_replayed" === c2) return m2 ? c2 : "";
      if (void 0 !== w2 || !o2) return "";
      let v3 = !c2 && !p2 && d(() => e2.t.isUnauthorized(s2.s));
      if (!c2 && !v3) return "";
      let k2 = v3 && !m2 ? "" : "login", b2 = e2.e;
      if (b2 && b2.token !== o2.token && (v3 || 401 === u3)) return k2;
      if ("session_superseded" === c2 && !e2.n) return "superseded";
      if (v3) {
        if (f(o2.at) < 1e4 || f(e2.ot) < 5e3 << e2.T) return "";
        e2.ot = Date.now(), e2.T < 7 && e2.T++;
      }
      if (v3 || e2.H(e2, s2)) return _(e2, o2), n2.Y ? "" : k2;
      if (q(c2) && x(e2, o2, c2, n2.Y), "login_required" === c2) return "code";
      if ("not_bound" === c2) {
        if (b2 && b2.session.bound && !r2) return "login";
        !p2 && !J(n2.D, "yaopai-background") && (function(e3, t2) {
          let n3 = e3.t.bindPage, { pages: o3, at: r3 } = j(e3);
          if (!n3 || t2 <= e3.U || r3 >= 0) return;
          let a3 = o3[9], i3 = a3 && a3.options || {};
          e3.j = a3 && "/" + a3.route + "?" + Object.keys(i3).map((e4) => e4 + "=" + i3[e4]).join("&"), e3.U = 1 / 0, e3.o(a3 ? "redirectTo" : "navigateTo", { url: n3 }).catch(l).then(() => e3.U = e3.B);
        })(e2, a2);
      }
      return "app_not_allowed" === c2 && I(e2, t(e2, c2)), "";
    }
  });
}
function X(e2, t2, n2, o2) {
  return __async(this, null, function* () {
    let s2 = u(t2.D), { jar: c2, carrier: l2 } = e2.t, { cookie: d2, header: f2 } = l2 || {}, p2 = J(s2, "cookie"), w2 = c2 ? c2.header(o2, h(e2), p2) : p2, y2 = [n2 && d2 && d2 + "=" + n2.token, w2].filter(Boolean).join("; ");
    if (y2 && F(s2, { cookie: y2 }), !n2) return s2;
    let { token: g2, key: m2, session: v2 } = n2, k2 = l2 ? "" : "Bearer " + g2;
    if (d2 || F(s2, { [f2 || "authorization"]: k2 || g2 }), e2.n) {
      let n3 = yield $(e2);
      F(s2, (function({ x: e3, k: t3, g: n4 }, o3, i2, s3, c3, l3) {
        let u2 = {}, d3 = "", f3 = "", h2 = (e4, t4) => {
          d3 += ' "' + e4 + '"', f3 += '"' + e4 + '": ' + t4 + "\n";
        };
        if (h2("@method", e3), h2("@authority", t3.S), h2("@path", t3.v), h2("@query", "?" + t3.i), o3 && h2("authorization", o3), void 0 !== n4) {
          let e4 = "sha-256=:" + a(A("string" == typeof n4 ? r(n4) : new Uint8Array(n4))) + ":";
          h2("content-digest", u2["content-digest"] = e4);
        }
        let p3 = `(${d3.slice(1)});created=${Math.floor(c3 / 1e3)};nonce="${l3}";keyid="${s3}";alg="hmac-sha256";tag="yaopai"`;
        return u2["signature-input"] = "yaopai=" + p3, u2.signature = "yaopai=:" + a(D(i2, r(f3 + '"@signature-params": ' + p3))) + ":", u2;
      })(t2, k2, n3 ? n3.derive(v2.id, D) : i(m2), n3 ? v2.id + "." + n3.version : v2.id, h(e2), e2.a()));
    }
    return s2;
  });
}
function ee(e2, t2, n2, o2, r2, a2) {
  let i2 = "GET" === t2 ? void 0 : o2 ? JSON.stringify(o2) : "";
  return Q(e2, { O: "request", t: { method: t2, data: i2 }, et: true, Y: a2, nt: r2, x: t2, k: V(e2.C + "/yaopai/v1" + n2), g: i2, D: o2 ? { "content-type": "application/json" } : {} });
}
function te(e2, t2, n2, o2, r2) {
  return __async(this, null, function* () {
    let a2 = yield ee(e2, t2, n2, o2, void 0, r2);
    if (!a2.r || a2.r > 299) throw w(e2, a2);
    return a2.s.data;
  });
}
function ne(e2) {
  let t2, n2 = [], o2 = {}, r2 = ([e3, n3]) => {
    t2 && t2[e3] && t2[e3](...n3);
  };
  return e2.split(" ").forEach((e3) => {
    o2[e3] = (...t3) => {
      n2.push([e3, t3]), r2([e3, t3]);
    };
  }), { $: o2, d(e3) {
    t2 = e3, n2.forEach(r2);
  }, it: (e3, t3) => n2.forEach(([n3, [o3]]) => n3 === e3 && o3(t3)) };
}
function oe(e2, t2) {
  let n2 = V(t2);
  return n2 && e2.st.indexOf(n2.K) >= 0 ? n2 : void 0;
}
function re(e2, n2, o2, r2) {
  let a2 = oe(e2, o2.url), i2 = "connectSocket" === n2;
  if (r2 ? i2 && !a2 : !a2 || e2.ct || o2.yaopai) return e2.c[n2](o2);
  if (i2) return (function(e3, t2) {
    let n3, o3, r3, { $: a3, d: i3, it: s3 } = ne("onOpen onMessage onError onClose"), c3 = [];
    return a3.send = (e4) => o3 ? n3.send(e4) : c3.push(e4), a3.close = (e4 = {}) => {
      n3 ? n3.close(e4) : r3 || (r3 = true, s3("onClose", { code: e4.code || 1e3, reason: e4.reason || "" }));
    }, ae(e3, t2.url, "socket").then((s4) => {
      r3 || (n3 = e3.c.connectSocket(u(t2, { url: s4, yaopai: 1 })), n3.onOpen(() => {
        o3 = true, c3.forEach(a3.send);
      }), i3(n3));
    }, (e4) => {
      r3 || (t2.fail && t2.fail(e4), t2.complete && t2.complete(e4), s3("onError", e4), a3.close({ code: 1006, reason: e4.errMsg }));
    }), a3;
  })(e2, o2);
  let { $: s2, d: c2 } = ne("abort onHeadersReceived onChunkReceived onProgressUpdate".replace(/on(\w+)/g, "$& off$1")), l2 = "uploadFile" === n2 ? "POST" : String(o2.method || "GET").toUpperCase(), d2 = u(o2.header || o2.headers), f2 = u(o2);
  o2.formData && (f2.formData = u(o2.formData));
  let h2 = { O: n2, t: f2, x: l2, k: a2, D: d2, d: c2 };
  if (a2 && "request" === n2) {
    let { i: e3, g: t2 } = (function(e4, t3, n3) {
      let o3 = "object" == typeof t3 && t3, r3 = o3 ? "" : String(null != t3 ? t3 : "");
      if (K(e4)) return { i: o3 ? Y(t3) : r3 };
      let a3 = r3, i3 = J(n3, "content-type");
      return i3 || F(n3, { "content-type": "application/json" }), "[object ArrayBuffer]" === {}.toString.call(t3) ? a3 = t3.slice(0) : ArrayBuffer.isView(t3) ? a3 = t3.buffer.slice(t3.byteOffset, t3.byteOffset + t3.byteLength) : o3 && (a3 = /form-url/i.test(i3) ? Y(t3) : JSON.stringify(t3)), { i: "", g: a3 };
    })(l2, o2.data, d2);
    G(a2, e3), f2.data = h2.g = t2, f2.method = l2;
  }
  let p2 = e2.c.getFileSystemManager, w2 = o2.filePath;
  "uploadFile" === n2 && p2 && w2 && (h2.F = () => new Promise((e3, t2) => p2().access({ path: w2, success: e3, fail: t2 })));
  let y2 = new Promise((r3, i3) => {
    let { abort: c3 } = s2;
    s2.abort = () => {
      h2.L = true, c3(), i3(t(e2, "abort", 0, "", void 0, n2));
    }, (a2 ? Q(e2, h2) : W(e2, h2, o2.url, d2)).then((e3) => r3(e3.s), i3);
  }), g2 = (e3) => (t2) => setTimeout(() => {
    try {
      f2[e3] && f2[e3](t2);
    } finally {
      f2.complete && f2.complete(t2);
    }
  }, 0);
  return y2.then(g2("success"), g2("fail")), r2 && (s2.then = y2.then.bind(y2)), s2;
}
function ae(e2, n2, o2) {
  return __async(this, null, function* () {
    let r2 = oe(e2, n2);
    if (!r2) throw t(e2, "not_ours");
    return G(r2, "yaopai_ticket=" + (yield te(e2, "POST", "/ticket", { authority: r2.S, path: r2.v, for: o2 })).ticket), z(r2) + r2.tt;
  });
}
var ie = ["request", "uploadFile", "downloadFile", "connectSocket"], se = (e2) => e2 || d(() => wx) || d(() => my) || d(() => tt) || d(() => swan) || d(() => qq) || d(() => ks);
function ce(e2) {
  return __async(this, null, function* () {
    let t2 = A(r(Array.from(Array(4), Math.random).join() + Date.now()));
    try {
      t2 = A(s(t2, new Uint8Array((yield e2.o("getRandomValues", { length: 32 })).randomValues)));
    } catch (e3) {
    }
    let n2 = 0;
    e2.a = () => a(D(t2, r("" + n2++))).replace(/\W/g, "");
  });
}
var le, ue = (e2) => u(e2.session);
function de(e2) {
  let t2 = se(e2.platform), n2 = d(() => t2.getAccountInfoSync().miniProgram.envVersion), { server: o2 } = e2, r2 = "string" == typeof o2 ? o2 : "develop" === n2 && o2.develop || /^[dt]/.test(n2) && o2.trial || o2.release, a2 = e2.language || d(() => (t2.getAppBaseInfo || t2.getSystemInfoSync).call(t2).language), i2 = u((function(e3) {
    let t3 = {};
    return ie.concat("login getAuthCode getStorage setStorage removeStorage getRandomValues showModal confirm navigateTo redirectTo navigateBack onAppShow offAppShow getFileSystemManager".split(" ")).forEach((n3) => e3[n3] && (t3[n3] = e3[n3].bind(e3))), { Z: e3, c: t3, o: (e4, n3) => new Promise((o3, r3) => {
      t3[e4](u(n3, { success: o3, fail: r3 })), /^login|Storage/.test(e4) && setTimeout(r3, 3e4);
    }) };
  })(t2), { t: e2, q: !a2 || /^zh/.test(a2), C: r2.replace(/\/+$/, ""), st: [r2].concat(e2.hosts || []).map((e3) => {
    let t3 = V(e3);
    if (!t3) throw new Error("yaopai: no URL: " + e3);
    return t3.K;
  }), G: n2, _: e2.storageKey || "yaopai", n: "off" === e2.keyed ? 0 : e2.key ? 2 : 1, p: 0, W: [], J: 0, B: 0, l: {}, E: 0, T: 0, w: /* @__PURE__ */ new Set([["end", e2.onEnd]]), rt: Z, V: U, H: C, ft: re });
  return i2.A = Promise.all([k(i2), ce(i2)]), e2.move && e2.move.join(i2, ee, x), i2;
}
function fe(e2) {
  let { onAppShow: t2, offAppShow: n2 } = e2.c, o2 = () => R(e2);
  return t2 && t2(o2), Object.assign({ login: () => __async(null, null, function* () {
    return yield e2.A, ue(yield M(e2, true));
  }), get session() {
    return e2.e && ue(e2.e);
  }, bind(t3) {
    return __async(this, null, function* () {
      let { form: n3, phoneCode: o3, bindCode: r2 } = t3, a2 = yield N(e2, "bind", void 0, { way: n3 ? "form" : o3 ? "phone" : "bind_code", form: n3, code: o3, bind_code: r2 });
      return P(e2), ue(a2);
    });
  }, preview: (t3) => __async(null, null, function* () {
    return { account: (yield te(e2, "POST", "/binding/preview", { bind_code: t3 })).masked };
  }), unbind() {
    return __async(this, null, function* () {
      try {
        yield te(e2, "DELETE", "/binding", void 0, true);
      } catch (e3) {
        if (!/^(session_revoked|not_bound)/.test(e3.code)) throw e3;
      }
      e2.e && _(e2, e2.e), yield M(e2);
    });
  }, phone: (t3) => te(e2, "POST", "/phone", { code: t3 }), decrypt(_0) {
    return __async(this, arguments, function* ({ encryptedData: t3, iv: n3 }) {
      let o3 = yield Z(e2);
      try {
        return yield te(e2, "POST", "/decrypt", { encrypted_data: t3, iv: n3 });
      } catch (t4) {
        throw "session_key_stale" === t4.code && (yield N(e2, "code", o3)), t4;
      }
    });
  }, stepUp: () => __async(null, null, function* () {
    return ue(yield N(e2, "code"));
  }), devices: () => __async(null, null, function* () {
    return (yield te(e2, "GET", "/sessions")).sessions;
  }), kick: (t3) => te(e2, "DELETE", "/sessions/" + t3), ticket: (t3, n3) => ae(e2, t3, n3), logout() {
    return __async(this, null, function* () {
      yield e2.A;
      let t3 = e2.e || (yield Promise.resolve(e2.y).catch(l)), n3 = t3 && ee(e2, "DELETE", "/session", void 0, t3);
      x(e2, t3, "session_ended", true), yield n3;
    });
  }, on(t3, n3) {
    let o3 = [t3, n3];
    return e2.w.add(o3), () => {
      e2.w.delete(o3);
    };
  }, now: () => h(e2), get installed() {
    return !!e2.h;
  }, uninstall() {
    e2.ct = true, n2 && n2(o2), e2.h && e2.h(), e2.h = void 0;
  } }, he(e2, true));
}
function he(e2, t2) {
  let n2 = {};
  return ie.forEach((o2) => n2[o2] = (n3) => e2.ft(e2, o2, n3, t2)), n2;
}
module.exports = { client: function() {
  let e2 = le || se().request.yaopai;
  if (!e2) throw new Error("yaopai: install() comes first, in app.js");
  return e2;
}, createClient: (e2) => fe(de(e2)), install: function(e2) {
  let t2 = se(e2.platform), n2 = t2.request.yaopai || le;
  if (n2 && n2.installed) return le = n2;
  let o2 = de(e2);
  le = fe(o2);
  let r2 = he(o2);
  return r2.request.yaopai = le, o2.h = (function(e3, t3) {
    let n3 = [], o3 = () => n3.forEach((e4) => e4());
    for (let r3 in t3) {
      let a2 = t3[r3], i2 = Object.getOwnPropertyDescriptor(e3, r3), s2 = (t4) => d(() => Object.defineProperty(e3, r3, t4));
      if (d(() => e3[r3] = a2), e3[r3] !== a2 && s2({ value: a2, configurable: true, writable: true, enumerable: true }), e3[r3] !== a2) return void o3();
      n3.push(() => {
        e3[r3] === a2 && (i2 ? s2(i2) : d(() => delete e3[r3]));
      });
    }
    return o3;
  })(t2, r2), le;
} };
}],
"lib/page.js": [{"yaopai":"miniprogram_npm/yaopai/index.js","../i18n/index":"i18n/index.js","./words":"lib/words.js"}, function (require, module, exports) {"use strict";
var __async = (__this, __arguments, generator) => {
  return new Promise((resolve, reject) => {
    var fulfilled = (value) => {
      try {
        step(generator.next(value));
      } catch (e) {
        reject(e);
      }
    };
    var rejected = (value) => {
      try {
        step(generator.throw(value));
      } catch (e) {
        reject(e);
      }
    };
    var step = (x) => x.done ? resolve(x.value) : Promise.resolve(x.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
const yaopai = require("yaopai");
const t = require("../i18n/index");
const words = require("./words");
let ended;
function me() {
  const { session } = yaopai.client();
  if (session) ended = void 0;
  if (ended) return { state: "ended", why: ended };
  if (!session) return { state: "loading" };
  if (!session.bound) return { state: "guest", face: "客" };
  const name = session.claims && session.claims.name || session.user;
  return { state: "user", name, face: name.slice(-1), greeting: t.home.welcome(name), number: t.me.number(session.user) };
}
module.exports = function page(options) {
  Page(Object.assign({}, options, {
    data: Object.assign({ t: plain(t), me: { state: "loading" }, notice: "", busy: "", loaded: false }, options.data),
    onLoad(query) {
      const client = yaopai.client();
      this.quit = [
        client.on("change", () => this.look()),
        client.on("end", (end) => {
          ended = t.errors[end.code] || end.message;
          this.look();
        })
      ];
      if (options.onLoad) options.onLoad.call(this, query);
    },
    onUnload() {
      this.quit.forEach((quit) => quit());
    },
    onShow() {
      wx.setNavigationBarTitle({ title: t.titles[options.title] });
      if (wx.setTabBarItem) t.tabs.forEach((text, index) => wx.setTabBarItem({ index, text, fail() {
      } }));
      this.shown = true;
      this.last = void 0;
      this.look();
      return this.reload();
    },
    onHide() {
      this.shown = false;
    },
    onPullDownRefresh() {
      this.reload().then(() => wx.stopPullDownRefresh());
    },
    /** Shows the session as it is now, and asks anew for what belongs to another one than before. */
    look() {
      const now = me();
      this.setData({ me: now });
      if (now.state === "loading" || now.state === this.last) return;
      const other = this.last !== void 0;
      this.last = now.state;
      if (other && this.shown) this.reload();
    },
    /** Asks again for what the page shows. */
    reload() {
      return __async(this, null, function* () {
        if (!options.load || this.data.me.state === "ended") return;
        const turn = this.turn = (this.turn || 0) + 1;
        try {
          const shown = yield options.load.call(this);
          if (turn === this.turn) this.setData(Object.assign({ loaded: true, notice: "" }, shown));
        } catch (error) {
          if (turn === this.turn) this.setData({ notice: words(error) });
        }
        this.look();
      });
    },
    once(name, action) {
      return __async(this, null, function* () {
        if (this.running) return;
        this.running = true;
        this.setData({ busy: name, notice: "" });
        try {
          yield action.call(this);
        } catch (error) {
          this.setData({ notice: words(error) });
        }
        this.running = false;
        this.setData({ busy: "" });
        this.look();
      });
    },
    logIn() {
      return this.once("login", () => yaopai.client().login());
    },
    toBind() {
      wx.navigateTo({ url: "/pages/bind/bind" });
    },
    /** The person has ended it here. */
    bye(why) {
      ended = why;
      this.look();
    }
  }));
};
function plain(texts) {
  return JSON.parse(JSON.stringify(texts));
}
}],
"lib/words.js": [{"../i18n/index":"i18n/index.js"}, function (require, module, exports) {"use strict";
const t = require("../i18n/index");
const SHOWN = ["not_bound", "session_kicked", "session_replaced", "session_ended"];
module.exports = function words(error) {
  const { code, status, message, errMsg } = error || {};
  if (SHOWN.includes(code)) return "";
  if (code === "binding_rejected" && message) return message;
  if (t.errors[code]) return t.errors[code];
  if (code === void 0 && /^request:fail/.test(errMsg)) return t.errors.network;
  if (/ (auth )?(deny|cancel)/.test(errMsg)) return "";
  return code && message || t.errors.other;
};
}],
"pages/order/order.js": [{"yaopai":"miniprogram_npm/yaopai/index.js","../../lib/page":"lib/page.js","../../lib/shop":"lib/shop.js","../../lib/money":"lib/money.js","../../i18n/index":"i18n/index.js"}, function (require, module, exports) {"use strict";
var __async = (__this, __arguments, generator) => {
  return new Promise((resolve, reject) => {
    var fulfilled = (value) => {
      try {
        step(generator.next(value));
      } catch (e) {
        reject(e);
      }
    };
    var rejected = (value) => {
      try {
        step(generator.throw(value));
      } catch (e) {
        reject(e);
      }
    };
    var step = (x) => x.done ? resolve(x.value) : Promise.resolve(x.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
const yaopai = require("yaopai");
const page = require("../../lib/page");
const shop = require("../../lib/shop");
const money = require("../../lib/money");
const t = require("../../i18n/index");
page({
  title: "order",
  data: { orders: [], open: 0, sum: "", openText: "", pay: t.orders.pay },
  load() {
    return __async(this, null, function* () {
      const { bound } = yield yaopai.client().login();
      if (!bound) return { orders: [], open: 0 };
      const [{ prices = {} }, { orders, paid = 0 }] = yield Promise.all([shop("GET", "/goods"), shop("GET", "/orders")]);
      const open = orders.slice(paid);
      const known = open.length > 0 && open.every((item) => prices[item] !== void 0);
      return {
        open: open.length,
        openText: t.orders.count(open.length),
        sum: known ? money(open.reduce((sum, item) => sum + prices[item], 0)) : "",
        orders: orders.map((item, n) => Object.assign({ item, number: t.orders.number(n + 1), paid: n < paid, price: money(prices[item]) }, t.goods[item] || { name: item, glyph: item[0] })).reverse()
      };
    });
  },
  pay() {
    return this.once("pay", () => __async(this, null, function* () {
      const { paid } = yield shop("POST", "/pay");
      wx.showToast({ title: t.orders.paidFor(paid), icon: "success" });
      yield this.reload();
    }));
  },
  toShop() {
    wx.switchTab({ url: "/pages/home/home" });
  }
});
}],
"pages/devices/devices.js": [{"yaopai":"miniprogram_npm/yaopai/index.js","../../lib/page":"lib/page.js","../../lib/shop":"lib/shop.js","../../lib/steps":"lib/steps.js","../../i18n/index":"i18n/index.js"}, function (require, module, exports) {"use strict";
var __async = (__this, __arguments, generator) => {
  return new Promise((resolve, reject) => {
    var fulfilled = (value) => {
      try {
        step(generator.next(value));
      } catch (e) {
        reject(e);
      }
    };
    var rejected = (value) => {
      try {
        step(generator.throw(value));
      } catch (e) {
        reject(e);
      }
    };
    var step = (x) => x.done ? resolve(x.value) : Promise.resolve(x.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
const yaopai = require("yaopai");
const page = require("../../lib/page");
const shop = require("../../lib/shop");
const countSteps = require("../../lib/steps");
const t = require("../../i18n/index");
page({
  title: "devices",
  data: { devices: [], steps: "", counts: false },
  load() {
    return __async(this, null, function* () {
      const client = yaopai.client();
      const devices = yield client.devices();
      const now = client.now();
      return {
        // Not on every platform.
        counts: Boolean(wx.getWeRunData),
        devices: devices.map(({ session_id: id, current, device, last_seen_at: seen }) => ({
          id,
          current,
          name: device && device.name || t.me.kinds[device && device.type] || t.me.kinds.other,
          seen: t.me.seen(Math.round((now - Date.parse(seen)) / 6e4))
        }))
      };
    });
  },
  steps() {
    return this.once("steps", () => __async(this, null, function* () {
      const n = yield countSteps();
      this.setData({ steps: t.me.today(n) });
    }));
  },
  kick(event) {
    const { id } = event.currentTarget.dataset;
    return this.sure(t.me.kickAsk, `kick-${id}`, () => __async(this, null, function* () {
      yield yaopai.client().kick(id);
      wx.showToast({ title: t.me.kicked, icon: "success" });
      yield this.reload();
    }));
  },
  logOut() {
    return this.once("logout", () => __async(this, null, function* () {
      yield yaopai.client().logout();
      this.bye(t.ended.logout);
    }));
  },
  /** The shop's own table goes first: else it would bind the account again at the next login. */
  unlink() {
    return this.sure(t.me.unlinkAsk, "unlink", () => __async(this, null, function* () {
      yield shop("POST", "/unlink");
      yield yaopai.client().unbind();
      wx.showToast({ title: t.me.unlinkDone, icon: "success" });
    }));
  },
  sure(content, name, action) {
    wx.showModal({
      content,
      confirmText: t.me.yes,
      cancelText: t.me.no,
      success: ({ confirm }) => {
        if (confirm) this.once(name, action);
      }
    });
  }
});
}],
"lib/steps.js": [{"yaopai":"miniprogram_npm/yaopai/index.js"}, function (require, module, exports) {"use strict";
var __async = (__this, __arguments, generator) => {
  return new Promise((resolve, reject) => {
    var fulfilled = (value) => {
      try {
        step(generator.next(value));
      } catch (e) {
        reject(e);
      }
    };
    var rejected = (value) => {
      try {
        step(generator.throw(value));
      } catch (e) {
        reject(e);
      }
    };
    var step = (x) => x.done ? resolve(x.value) : Promise.resolve(x.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
const yaopai = require("yaopai");
const sealed = () => new Promise((resolve, reject) => wx.getWeRunData({ success: resolve, fail: reject }));
module.exports = function steps(again = true) {
  return __async(this, null, function* () {
    const { encryptedData, iv } = yield sealed();
    try {
      const { stepInfoList } = yield yaopai.client().decrypt({ encryptedData, iv });
      return stepInfoList[stepInfoList.length - 1].step;
    } catch (error) {
      if (!again || error.code !== "session_key_stale") throw error;
      return steps(false);
    }
  });
};
}],
"pages/bind/bind.js": [{"yaopai":"miniprogram_npm/yaopai/index.js","../../lib/page":"lib/page.js","../../i18n/index":"i18n/index.js"}, function (require, module, exports) {"use strict";
var __async = (__this, __arguments, generator) => {
  return new Promise((resolve, reject) => {
    var fulfilled = (value) => {
      try {
        step(generator.next(value));
      } catch (e) {
        reject(e);
      }
    };
    var rejected = (value) => {
      try {
        step(generator.throw(value));
      } catch (e) {
        reject(e);
      }
    };
    var step = (x) => x.done ? resolve(x.value) : Promise.resolve(x.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
const yaopai = require("yaopai");
const page = require("../../lib/page");
const t = require("../../i18n/index");
page({
  title: "bind",
  data: { way: 0, masked: "", code: "" },
  choose(event) {
    if (this.running) return;
    this.setData({ way: Number(event.currentTarget.dataset.way), notice: "", masked: "" });
  },
  byForm(event) {
    const { account, password } = event.detail.value;
    if (!account || !password) return this.setData({ notice: t.bind.incomplete });
    return this.bind({ form: { account: account.trim(), password } });
  },
  byPhone(event) {
    const { code } = event.detail;
    if (!code) return this.setData({ notice: t.bind.denied });
    return this.bind({ phoneCode: code });
  },
  type(event) {
    this.setData({ code: event.detail.value.trim() });
  },
  scan() {
    wx.scanCode({
      success: ({ result }) => {
        this.setData({ code: result.trim() });
        this.preview();
      },
      // Also when the person goes back without a scan.
      fail() {
      }
    });
  },
  /** Whose account the code is for. Redeeming it takes the person's own word: somebody may have slipped them a code. */
  preview() {
    return this.once("preview", () => __async(this, null, function* () {
      const { account } = yield yaopai.client().preview(this.data.code);
      this.setData({ masked: account });
    }));
  },
  confirm() {
    return this.bind({ bindCode: this.data.code });
  },
  refuse() {
    this.setData({ masked: "", code: "" });
  },
  /** Back to where the person was goes the client library. */
  bind(evidence) {
    return this.once("bind", () => __async(this, null, function* () {
      this.setData({ masked: "" });
      yield yaopai.client().bind(evidence);
      wx.showToast({ title: t.bind.done, icon: "success" });
    }));
  }
});
}],
"app.js": [{"./config":"config.js","./lib/device":"lib/device.js","yaopai":"miniprogram_npm/yaopai/index.js"}, function (require, module, exports) {"use strict";
const { app, server } = require("./config");
const device = require("./lib/device");
require("yaopai").install({ app, server, device, bindPage: "/pages/bind/bind" });
App({});
}],
"lib/device.js": [{}, function (require, module, exports) {"use strict";
const { model = "", platform } = wx.getDeviceInfo ? wx.getDeviceInfo() : wx.getSystemInfoSync();
const isComputer = ["windows", "mac", "linux"].includes(platform);
module.exports = { type: isComputer ? "pc" : /pad|tablet/i.test(model) ? "tablet" : "phone", name: model.slice(0, 20) };
}]
} } }
})
