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
    var step = (x2) => x2.done ? resolve(x2.value) : Promise.resolve(x2.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
var Kt = { session_kicked: "已在别处退出登录|You were logged out elsewhere", session_replaced: "已在其他设备登录|You logged in on another device", session_ended: "已退出登录|You are logged out", session_limit: "登录设备过多，请先退出一台|Too many devices: log out on one first", user_disabled: "账号已停用|This account is disabled", binding_conflict: "该账号已绑定其他用户|Already linked to another account", rate_limited: "操作太频繁，请稍后再试|Too often. Try again later" };
function E(t, e, n = 0, r, o, i = "request") {
  let c = (Kt[e] || "暂时不可用，请稍后再试|Not available now. Try again later").split("|");
  return Object.assign(new Error(r || c[t ? 0 : 1]), { name: "YaopaiError", errMsg: i + ":fail " + e, code: e, status: n, retryIn: o });
}
var Et = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
function T(t) {
  let e = [];
  for (let n = 0; n < t.length; ) {
    let r = t.codePointAt(n++);
    r > 65535 ? n++ : r >> 11 === 27 && (r = 65533), r < 128 ? e.push(r) : (r < 2048 ? e.push(192 | r >> 6) : (r < 65536 ? e.push(224 | r >> 12) : e.push(240 | r >> 18, 128 | r >> 12 & 63), e.push(128 | r >> 6 & 63)), e.push(128 | r & 63));
  }
  return new Uint8Array(e);
}
function ut(t) {
  let e = "";
  for (let n = 0; n < t.length; n += 3) {
    let r = t[n] << 16 | t[n + 1] << 8 | t[n + 2];
    for (let o = 0; o < 4; o++) e += n + o > t.length ? "=" : Et[r >> 18 - 6 * o & 63];
  }
  return e;
}
function G(t) {
  let e = [], n = 0, r = 0;
  for (let o of t.replace(/=+$/, "")) n = n << 6 | Et.indexOf(o), r += 6, r > 7 && e.push(n >> (r -= 8));
  return new Uint8Array(e);
}
function W(t) {
  let e = "";
  return t.forEach((n) => e += (n + 256).toString(16).slice(1)), e;
}
function N(t, e) {
  let n = new Uint8Array(t.length + e.length);
  return n.set(t), n.set(e, t.length), n;
}
function M(t) {
  let e = /^(http|ws)(s?):\/\/([\w.-]+|\[[\da-f:.]+])(:\d+)?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/i.exec(t);
  if (!e) return;
  let n = e[2].toLowerCase(), r = e[4] && +e[4].slice(1), o = e[3].toLowerCase() + (r && r !== (n ? 443 : 80) ? ":" + r : ""), i = pt(e[6] || "");
  return { $: e[1].toLowerCase() + n, q: "http" + n + "://" + o, b: o, _: pt(e[5] || "/"), o: i === "?" ? "" : i, G: e[7] || "" };
}
var Z = (t) => t.$ + "://" + t.b + t._ + t.o;
function Q(t, e) {
  e && (t.o = (t.o ? t.o + "&" : "?") + pt(e));
}
var xt = (t) => W(T(t)).replace(/../g, "%$&").toUpperCase(), pt = (t) => t.replace(/%(?![\da-f]{2})|[\ud800-\udbff][\udc00-\udfff]|[^!$-&(-;=?-Z_a-z~]/gi, xt), St = (t) => String(t).replace(/[\ud800-\udbff][\udc00-\udfff]|[^\w!~*'().-]/g, xt), dt = (t) => Object.keys(t).map((e) => St(e) + "=" + St(typeof t[e] == "object" ? JSON.stringify(t[e]) : t[e])).join("&");
var C = (t) => new Promise((e) => setTimeout(e, t)), k = () => {
}, w = (...t) => Object.assign({}, ...t);
var X = (t, e, n, r, o) => new Promise((i, c) => {
  let a, s = t.t.c[e](w(n, { header: r, headers: r, success: (f) => i({ raw: f, header: f.header || f.headers || a || {} }), fail: c, complete: void 0, yaopai: 1 }));
  s && (e !== "request" && s.onHeadersReceived && s.onHeadersReceived(({ header: f }) => a = f), o && o(s));
});
function v(t, e, n, r, o, i) {
  let c = e === "GET" ? void 0 : o ? JSON.stringify(o) : "";
  return { W: true, D: i, Z: r, k: e, E: M(t.R + "/yaopai/v1" + n), f: c, S: o ? { "Content-Type": "application/json" } : {}, x: (a, s) => X(t, "request", { url: a, method: e, data: c }, s) };
}
var lt = [], Pt = [], vt = [];
for (let t = 2; lt.length < 64; t++) if (!vt[t]) {
  for (let e = t * t; e < 312; e += t) vt[e] = 1;
  Pt.push(Math.sqrt(t) * 4294967296 | 0), lt.push(Math.pow(t, 1 / 3) * 4294967296 | 0);
}
var et = (t, e, n) => (t >>> e | t << 32 - e) ^ (t >>> n | t << 32 - n);
function q(t) {
  let e = t.length, n = new Uint8Array(e + 72 & -64);
  n.set(t), n[e] = 128;
  let r = new DataView(n.buffer);
  r.setUint32(n.length - 8, e / 536870912), r.setUint32(n.length - 4, e << 3);
  let o = new Int32Array(Pt.slice(0, 8)), i = new Int32Array(64);
  for (let a = 0; a < n.length; a += 64) {
    let [s, f, u, p, d, m, y, h] = o;
    for (let l = 0; l < 64; l++) {
      let g = i[l - 15], b = i[l - 2];
      i[l] = l < 16 ? r.getInt32(a + 4 * l) : i[l - 16] + i[l - 7] + (et(g, 7, 18) ^ g >>> 3) + (et(b, 17, 19) ^ b >>> 10);
      let _ = h + (et(d, 6, 11) ^ (d >>> 25 | d << 7)) + (d & m ^ ~d & y) + lt[l] + i[l], F = (et(s, 2, 13) ^ (s >>> 22 | s << 10)) + (s & f ^ s & u ^ f & u);
      h = y, y = m, m = d, d = p + _ | 0, p = u, u = f, f = s, s = _ + F | 0;
    }
    [s, f, u, p, d, m, y, h].forEach((l, g) => o[g] += l);
  }
  let c = new DataView(n.buffer, 0, 32);
  return o.forEach((a, s) => c.setInt32(4 * s, a)), new Uint8Array(n.buffer, 0, 32);
}
function B(t, e) {
  let n = (r) => new Uint8Array(64).map((o, i) => t[i] ^ r);
  return q(N(n(92), q(N(n(54), e))));
}
function Ot({ k: t, E: e, f: n }, r, o, i, c, a) {
  let s = {}, f = "", u = "", p = (m, y) => {
    f += ' "' + m + '"', u += '"' + m + '": ' + y + `
`;
  };
  if (p("@method", t), p("@authority", e.b), p("@path", e._), p("@query", e.o || "?"), r && p("authorization", r), n !== void 0) {
    let m = "sha-256=:" + ut(q(typeof n == "string" ? T(n) : new Uint8Array(n))) + ":";
    p("content-digest", s["Content-Digest"] = m);
  }
  let d = `(${f.slice(1)});created=${Math.floor(c / 1e3)};nonce="${a}";keyid="${i}";alg="hmac-sha256";tag="yaopai"`;
  return s["Signature-Input"] = "yaopai=" + d, s.Signature = "yaopai=:" + ut(B(o, T(u + '"@signature-params": ' + d))) + ":", s;
}
function At(t) {
  let e = typeof getCurrentPages == "function" ? getCurrentPages() : [], n = (t.e.bindPage || "").split("?")[0];
  return { pages: e, at: e.map((r) => "/" + r.route).indexOf(n) };
}
function Tt(t, e) {
  let n = t.e.bindPage, { pages: r, at: o } = At(t);
  if (!n || t.U || e <= t.j || o >= 0) return;
  let i = r[r.length - 1], c = r.length > 9, { options: a = {} } = i || {};
  t.M = c ? "/" + i.route + "?" + Object.keys(a).map((s) => s + "=" + a[s]).join("&") : "", t.U = true, t.t.i(c ? "redirectTo" : "navigateTo", { url: n }).catch(k).then(() => {
    t.U = false, t.j = t.B;
  });
}
function nt(t) {
  let { pages: e, at: n } = At(t), r = t.M;
  n < 0 || !r && !n || (t.M = "", t.t.i(r ? "redirectTo" : "navigateBack", r ? { url: r } : { delta: e.length - n }).catch(k));
}
var rt = (t) => /^session_(missing|unknown|expired|revoked|reused|superseded)/.test(t), ot = (t) => /^(session_(kicked|replaced|ended)|user_disabled)/.test(t);
function S(t, e) {
  for (let n in t) if (n.toLowerCase() === e) return String(t[n]);
  return "";
}
function D(t, e, n) {
  for (let r in t) r.toLowerCase() === e.toLowerCase() && delete t[r];
  t[e] = n;
}
var R = (t) => Date.now() + t.l, J = (t, e, n) => t.g.forEach(([r, o]) => r === e && Promise.resolve(n).then(o));
function O(t, { d: e, a: n, u: { data: r }, m: o }) {
  let i = S(o, "retry-after");
  return E(t.s, e || (n < 300 ? "malformed_answer" : "network"), n, r && r.message, +i || void 0);
}
function K(t, e, n) {
  return __async(this, null, function* () {
    let r = e.u.data || {}, { token: o } = r, i = r.key || {};
    if (n ? r.session_id !== n.session.id : !r.session_id || !o) throw O(t, e);
    if (!n && (t.r ? i.alg !== "hmac-sha256" || G(i.secret || "").length !== (t.r < 2 ? 32 : 0) : r.key)) throw E(t.s, "key_refused", e.a);
    let c = t.n;
    if (n && (!c || c.token !== n.token)) return c || n;
    t.l = Date.parse(r.server_time) - Date.now() || 0;
    let a = JSON.stringify(n && c.session), s = Object.assign(o ? w(n && c) : c, { of: Ct(t), skew: t.l, session: { id: r.session_id, bound: r.bound, user: r.user, claims: r.claims, vouchedAt: Date.parse(r.vouched_at) } });
    return o && ((!n || !t.r) && (s.token = o), n || (s.key = i.secret), s.at = Date.now(), s.refresh = r.refresh_in, s.ids = [t.p(), t.p()], s.note = void 0), t.n = s, t.v && t.v !== r.user && gt(t), t.v = r.user, a !== JSON.stringify(s.session) && (t.y = {}, J(t, "change")), yield L(t, s), s;
  });
}
var Ct = (t) => "1 " + t.e.app + " " + t.R + " " + t.r, mt = (t) => ({ key: t.e.storageKey || "yaopai", encrypt: true });
function L(t, e) {
  let n = () => t.t.i("removeStorage", mt(t)).catch(k);
  return t.H = Promise.resolve(t.H).then(() => e ? t.t.i("setStorage", w(mt(t), { data: JSON.stringify(e) })).catch(n) : n());
}
function qt(t) {
  return __async(this, null, function* () {
    try {
      let e = JSON.parse((yield t.t.i("getStorage", mt(t))).data);
      e.of === Ct(t) && e.token && e.session.id && e.ids[1] && (t.r !== 1 || e.key) && (t.n = e, t.v = e.session.user, t.l = e.skew, J(t, "change"));
    } catch (e) {
    }
  });
}
function gt(t) {
  t.P++, t.e.jar && t.e.jar.clear();
}
function A(t, e) {
  let n = !!t.n && t.n.token === e.token;
  return n && (t.n = void 0, t.y = {}, L(t), J(t, "change")), n;
}
function P(t, e) {
  return __async(this, null, function* () {
    e && (t.h = void 0, t.O = 0);
    let n = t.O - Date.now();
    if (!t.n && !t.w && n > 0 && n <= 6e4) throw t.Q;
    return t.n || (t.w = t.w || Lt(t));
  });
}
function Lt(t) {
  return __async(this, null, function* () {
    try {
      let e = yield It(t);
      return t.F = 0, e;
    } catch (e) {
      throw t.O = Date.now() + Math.min(1e3 << Math.min(t.F++, 9), 6e4), t.Q = e, /^40[39]/.test(e.status) && Y(t, e.code), e;
    } finally {
      t.w = void 0;
    }
  });
}
function It(t) {
  return __async(this, null, function* () {
    let { app: e, device: n, key: r } = t.e;
    for (let o = 0, i = 0; ; ) {
      let c = yield x(t, v(t, "POST", "/session", null, { app: e, code: yield yt(t), request_id: t.p(), key: r ? { wechat: { version: (yield I(t, o > 0)).version } } : t.r ? { alg: "hmac-sha256" } : void 0, device: n, env_version: t.X })), a = c.d;
      if (c.a === 201) return K(t, c);
      if (/^(code_|login_r)/.test(a) && !o++) continue;
      let s = +S(c.m, "retry-after") || 2;
      if (!/^platform_(busy|un)/.test(a) || i++ > 2 || s > 10) throw O(t, c);
      yield C(s * 1e3);
    }
  });
}
function yt(t) {
  return __async(this, null, function* () {
    let { tt: e, t: n } = t;
    for (let r = 0; ; ) {
      if (Math.abs(Date.now() - e[9]) < 6e4) throw E(t.s, "login_quota");
      yield C(Math.min(e[0] + 250 - Date.now() || 0, 250)), e.unshift(Date.now());
      try {
        let { code: o, authCode: i } = yield n.i(n.c.login ? "login" : "getAuthCode", { scopes: "auth_base" });
        return o || i;
      } catch (o) {
        if (r++ > 1) throw E(t.s, "platform_login");
        yield C(1e3 << r);
      }
    }
  });
}
function I(t, e) {
  return __async(this, null, function* () {
    let n = t.e.key;
    return n && (e || !t.A || t.A.expires < Date.now() + 6e4) && (t.A = yield n.latest(t.t.et)), t.A;
  });
}
function H(t, e, n, r) {
  e && !A(t, e) || (gt(t), t.h = E(t.s, n, 401), r || Y(t, n));
}
function Y(t, e) {
  if (t.y[e]) return;
  t.y[e] = 1;
  let { message: n } = E(t.s, e), { onEnd: r } = t.e, o = { code: e, message: n };
  if (J(t, "end", o), r) return void Promise.resolve(o).then(r);
  let { s: i, h: c } = t, a = i ? c ? "重新登录" : "好" : "OK";
  t.t.i(t.t.c.showModal ? "showModal" : "confirm", { title: "", content: n + (c && !i ? ". Log in again?" : ""), showCancel: !!c, confirmText: a, cancelText: i ? "取消" : "No", confirmButtonText: a }).then(({ confirm: s }) => s && c && P(t, true)).catch(k);
}
function j(t, e, n, r) {
  let o = () => __async(null, null, function* () {
    let c = yield z(t);
    return n && (c.token !== n.token || (e === "code" ? c.session.vouchedAt > n.session.vouchedAt : e === "refresh" && c.at !== n.at)) ? c : U(t, e, c, r);
  }), i = Promise.resolve(t.nt).then(o);
  return t.nt = i.catch(k), i;
}
function U(t, e, n, r, o) {
  return __async(this, null, function* () {
    let i = e === "bind", { note: c, ids: a } = n, s = typeof c == "object" ? "code" : c, f = (m) => i && !o ? U(t, e, m, r, true) : m;
    if (s && e !== s && (e !== "superseded" || s === "code")) {
      if (s !== "bind") {
        let m = yield U(t, s, n);
        return i || e === "code" ? U(t, e, m, r) : m;
      }
      return e === "refresh" ? n : (A(t, n), P(t));
    }
    e === "superseded" && (a[0] = t.p());
    let u;
    e === "code" && (u = c || { code: yield yt(t), id: t.p() }, yield I(t, true)), t.r || (n.note = u || (i ? e : "refresh"), yield L(t, n));
    let p = yield x(t, i ? v(t, "POST", "/binding", n, w({ request_id: a[1] }, r)) : v(t, "POST", "/session/refresh", n, { request_id: u ? u.id : a[0], code: u && u.code })), d = p.d;
    if (p.a === 200) return K(t, p, n);
    if (d === "session_superseded" && !t.r && e !== "superseded") return n.note = void 0, f(yield U(t, "superseded", n));
    if (rt(d) || d === "proof_required" && !t.r) return A(t, n), f(yield P(t));
    if (ot(d) && H(t, n, d), i && d === "login_required" && !o) return n.note = void 0, f(yield U(t, "code", n));
    if (/^(binding_|(bind_)?code_|identity_|platform_bl)/.test(d) && (n.note = void 0, i && (a[1] = t.p()), yield L(t, n), u && /^code_/.test(d) && !o)) return U(t, e, n, r, true);
    throw O(t, p);
  });
}
function it(t) {
  let e = t.n;
  e && !t.N && Math.abs(Date.now() - e.at) >= e.refresh * 1e3 && (t.N = j(t, "refresh", e).catch(() => C(3e4)).then(() => t.N = void 0));
}
function Dt(t, e) {
  t.J = t.J || x(t, v(t, "GET", "/session", e)).then((n) => __async(null, null, function* () {
    (yield K(t, n, e)).session.bound && nt(t);
  })).catch(k).then(() => t.J = void 0);
}
function Rt(t, e, n) {
  let r = typeof e == "object" && e, o = r ? "" : String(e != null ? e : "");
  if (ht(t)) return { o: r ? dt(e) : o };
  let i = S(n, "content-type");
  return i || D(n, "Content-Type", i = "application/json"), {}.toString.call(e) === "[object ArrayBuffer]" ? { o: "", f: e.slice(0) } : ArrayBuffer.isView(e) ? { o: "", f: e.buffer.slice(e.byteOffset, e.byteOffset + e.byteLength) } : { o: "", f: r ? /form-url/i.test(i) ? dt(e) : JSON.stringify(e) : o };
}
var ht = (t) => t === "GET" || t === "HEAD";
function z(t) {
  return __async(this, null, function* () {
    if (yield t.T, yield t.H, t.h) throw t.h;
    let e = yield P(t);
    return it(t), e;
  });
}
function x(t, e) {
  return __async(this, null, function* () {
    let n = {}, { W: r, Z: o } = e, i = r || ht(e.k);
    for (; ; ) {
      let a = o === void 0 ? yield z(t) : o, s = t.P, f = a && a.session.bound, u = Z(e.E), p = yield Yt(t, e, a, u);
      if (e.K) throw E(t.s, "abort");
      let d = Date.now(), m = ++t.B, y = { u: {}, m: {}, d: "network", a: 0 };
      try {
        let { raw: b, header: _ } = yield e.x(u, p);
        y = { u: b, m: _, d: S(_, "yaopai-code"), a: +(S(_, "yaopai-status") || b.statusCode || b.status) }, t.e.jar && s === t.P && t.e.jar.take(u, { cookies: b.cookies, header: _ }, R(t));
      } catch (b) {
        if (!r) throw b;
      }
      let h = c(y, a, f, m, Date.now() - d), l = n[h] = (n[h] || 0) + 1;
      if (!h || e.K || l > (r && h === "wait" ? 3 : 1)) return y;
      let g = +S(y.m, "retry-after") * 1e3 || (/wait|internal/.test(h) ? 500 << l : 0);
      if (g > 1e4) return y;
      try {
        e.L && (yield e.L()), yield C(g), h === "login" && (yield P(t)), /^(code|superseded)/.test(h) && (yield j(t, h, a));
      } catch (b) {
        return y;
      }
    }
    function c({ d: a, a: s, m: f, u }, p, d, m, y) {
      let h = Date.parse(S(f, "yaopai-time"));
      if (a && h && (a === "proof_stale" || y < 9e3) && (t.l = h - Date.now()), p && S(f, "yaopai-bound") && Dt(t, p), r && (!s || !a && s > 499) || /^((backend_)?unavailable|rate_)/.test(a)) return "wait";
      if (/^(proof_stale|internal)/.test(a)) return a;
      if (a === "proof_replayed") return i ? a : "";
      if (o !== void 0 || !p) return "";
      let { isUnauthorized: l } = t.e, g;
      try {
        g = !a && !r && l && l(u);
      } catch (F) {
      }
      if (!a && !g) return "";
      let b = g && !i ? "" : "login", _ = t.n;
      if (_ && _.token !== p.token && (g || s === 401)) return b;
      if (a === "session_superseded" && !t.r) return "superseded";
      if (g) {
        if (Math.abs(Date.now() - p.at) < 1e4 || Math.abs(Date.now() - t.I) < 5e3 << t.C) return "";
        t.I = Date.now(), t.C < 7 && t.C++;
      }
      if (g || rt(a) || a === "proof_required" && !t.r) return A(t, p), e.D ? "" : b;
      if (ot(a) && H(t, p, a, e.D), a === "login_required") return "code";
      if (a === "not_bound") {
        if (_ && _.session.bound && !d) return "login";
        !r && !S(e.S, "yaopai-background") && Tt(t, m);
      }
      return a === "app_not_allowed" && Y(t, a), "";
    }
  });
}
function Yt(t, e, n, r) {
  return __async(this, null, function* () {
    let o = w(e.S), { jar: i } = t.e, c = S(o, "cookie"), a = i ? i.header(r, R(t), c || void 0) : c, s = t.e.carrier || {}, f = n && n.token, u = "";
    if (f && s.cookie && (u = s.cookie + "=" + f + (a ? "; " : "")), (u || a) && D(o, "Cookie", u + (a || "")), !n) return o;
    let p = s.cookie || s.header ? "" : "Bearer " + f;
    if (s.header && D(o, s.header, f), p && D(o, "Authorization", p), t.r) {
      let { id: d } = n.session, m = yield I(t), y = Ot(e, p, m ? m.derive(d, B) : G(n.key), m ? d + "." + m.version : d, R(t), t.p());
      for (let h in y) D(o, h, y[h]);
    }
    return o;
  });
}
function st(t, e) {
  let n, r = !e, o = [], i = {}, c = (s) => ([f, u]) => {
    n && n[f] && s(f) && n[f](...u);
  }, a = (s) => r || !e(s);
  return t.split(" ").forEach((s) => {
    i[s] = (...f) => {
      o.push([s, f]), c(a)([s, f]);
    };
  }), { Y: i, z(s) {
    n = s, o.forEach(c(a));
  }, rt() {
    r = true, o.forEach(c(e));
  } };
}
function at(t, e) {
  let n = M(e);
  return n && t.V[n.q] ? n : void 0;
}
function V(t, e, n, r) {
  let o = at(t, n.url);
  if (!o && !r) return t.t.c[e](n);
  let { Y: i, z: c } = st("onHeadersReceived offHeadersReceived onChunkReceived offChunkReceived onProgressUpdate offProgressUpdate"), a = e === "uploadFile" ? "POST" : String(n.method || "GET").toUpperCase(), s = w(n.header || n.headers), f = w(n);
  n.formData && (f.formData = w(n.formData));
  let u, p, d = new Promise((l, g) => {
    p = (b, _) => {
      p = k, (b ? l : g)(_), setTimeout(() => {
        let F = b ? f.success : f.fail;
        try {
          F && F(_);
        } finally {
          f.complete && f.complete(_);
        }
      }, 0);
    };
  });
  d.catch(k);
  let m = { k: a, E: o, f: void 0, S: s, x(l, g) {
    return f.url = l, X(t, e, f, g, (b) => c(u = b));
  } };
  if (i.abort = () => {
    m.K = true, u && u.abort(), p(false, E(t.s, "abort", 0, "", void 0, e));
  }, o && e === "request") {
    let { o: l, f: g } = Rt(a, n.data, s);
    Q(o, l), f.data = m.f = g, f.method = a;
  }
  let y = t.t.c.getFileSystemManager, h = n.filePath;
  return e === "uploadFile" && y && h && (m.L = () => new Promise((l, g) => y().access({ path: h, success: l, fail: g }))), (o ? x(t, m).then((l) => l.u) : m.x(n.url, s).then(({ raw: l }) => l)).then((l) => p(true, l), (l) => p(false, l)), r && (i.then = d.then.bind(d)), i;
}
function wt(t, e, n) {
  return __async(this, null, function* () {
    let r = at(t, e);
    if (!r) throw E(t.s, "not_ours");
    let o = yield x(t, v(t, "POST", "/ticket", void 0, { authority: r.b, path: r._, for: n }));
    if (o.a !== 200) throw O(t, o);
    return Q(r, "yaopai_ticket=" + o.u.data.ticket), Z(r) + r.G;
  });
}
function bt(t, e) {
  let n = t.t.c.connectSocket;
  if (!at(t, e.url)) return n(e);
  let { Y: r, z: o, rt: i } = st("send onOpen onMessage", (u) => u === "send"), c = { onError: [], onClose: [] }, a = (u, p) => c[u].forEach((d) => d(p)), s, f = false;
  for (let u in c) r[u] = (p) => {
    c[u].push(p), s && s[u](p);
  };
  return r.close = (u = {}) => {
    s ? s.close(u) : f || (f = true, a("onClose", { code: u.code || 1e3, reason: u.reason || "" }));
  }, wt(t, e.url, "socket").then((u) => {
    if (!f) {
      s = n(w(e, { url: u, yaopai: 1 })), s.onOpen(i);
      for (let p in c) c[p].forEach((d) => s[p](d));
      o(s);
    }
  }, (u) => {
    f || (e.fail && e.fail(u), e.complete && e.complete(u), a("onError", u), r.close({ code: 1006, reason: u.errMsg }));
  }), r;
}
var zt = "request uploadFile downloadFile connectSocket login getAuthCode getStorage setStorage removeStorage getRandomValues showModal confirm navigateTo redirectTo navigateBack onAppShow offAppShow getFileSystemManager", $ = (t) => t || (typeof wx != "undefined" ? wx : typeof my != "undefined" ? my : typeof tt != "undefined" ? tt : typeof swan != "undefined" ? swan : typeof qq != "undefined" ? qq : ks);
function Ut(t) {
  let e = {};
  return zt.split(" ").forEach((n) => t[n] && (e[n] = t[n].bind(t))), { et: t, c: e, i: (n, r) => new Promise((o, i) => {
    e[n](w(r, { success: o, fail: i })), /^login|Storage/.test(n) && setTimeout(i, 3e4);
  }) };
}
function jt(t) {
  return __async(this, null, function* () {
    let e = Math.random, n = q(T([e(), e(), e(), e(), Date.now()].join()));
    try {
      n = q(N(n, new Uint8Array((yield t.i("getRandomValues", { length: 32 })).randomValues)));
    } catch (o) {
    }
    let r = 0;
    return () => W(B(n, T("" + r++))).slice(0, 32);
  });
}
var ct = (t) => w(t.session);
function Mt(t, e) {
  try {
    return t[e]() || {};
  } catch (n) {
    return {};
  }
}
function _t(t) {
  let e = $(t.platform), n = Ut(e), r = (Mt(e, "getAccountInfoSync").miniProgram || {}).envVersion, { server: o, jar: i } = t, c = typeof o == "string" ? o : r === "develop" && o.develop || /^[dt]/.test(r) && o.trial || o.release, a = e.getAppBaseInfo ? "getAppBaseInfo" : "getSystemInfoSync", s = { e: t, t: n, s: /^zh/.test(t.language || Mt(e, a).language || "zh"), R: c.replace(/\/+$/, ""), V: {}, X: r, r: t.keyed === "off" ? 0 : t.key ? 2 : 1, l: 0, tt: [], O: 0, F: 0, B: 0, j: 0, y: {}, P: 0, I: 0, C: 0, g: [] };
  return [c].concat(t.hosts || []).forEach((f) => {
    let u = M(f);
    if (!u) throw new Error("yaopai: no URL: " + f);
    s.V[u.q] = 1;
  }), s.T = Promise.all([qt(s).then(() => i && i.open({ read: (f) => n.i("getStorage", { key: f, encrypt: true }).then(({ data: u }) => u, k), write: (f, u) => n.i("setStorage", { key: f, data: u, encrypt: true }) }, R(s))), jt(n).then((f) => s.p = f)]), s;
}
function kt(t) {
  let e = (i, c, a) => __async(null, null, function* () {
    let s = yield x(t, v(t, i, c, void 0, a));
    if (s.a > 299) throw O(t, s);
    return s.u.data;
  }), { onAppShow: n, offAppShow: r } = t.t.c, o = () => it(t);
  return n && n(o), { request: (i) => V(t, "request", i, true), uploadFile: (i) => V(t, "uploadFile", i, true), downloadFile: (i) => V(t, "downloadFile", i, true), connectSocket: (i) => bt(t, i), login() {
    return __async(this, null, function* () {
      return yield t.T, ct(yield P(t, true));
    });
  }, get session() {
    return t.n && ct(t.n);
  }, bind(i) {
    return __async(this, null, function* () {
      let { form: c, phoneCode: a, bindCode: s } = i, f = yield j(t, "bind", void 0, { way: c ? "form" : a ? "phone" : "bind_code", form: c, code: a, bind_code: s });
      return nt(t), ct(f);
    });
  }, preview: (i) => __async(null, null, function* () {
    return { account: (yield e("POST", "/binding/preview", { bind_code: i })).masked };
  }), unbind() {
    return __async(this, null, function* () {
      let i = yield x(t, v(t, "DELETE", "/binding", void 0, void 0, true));
      if (i.a > 299 && !/^(session_revoked|not_bound)/.test(i.d)) throw O(t, i);
      t.n && A(t, t.n), yield P(t);
    });
  }, phone: (i) => e("POST", "/phone", { code: i }), decrypt(_0) {
    return __async(this, arguments, function* ({ encryptedData: i, iv: c }) {
      let a = yield z(t);
      try {
        return yield e("POST", "/decrypt", { encrypted_data: i, iv: c });
      } catch (s) {
        throw s.code === "session_key_stale" && (yield j(t, "code", a)), s;
      }
    });
  }, stepUp: () => __async(null, null, function* () {
    return ct(yield j(t, "code"));
  }), devices: () => __async(null, null, function* () {
    return (yield e("GET", "/sessions")).sessions;
  }), kick: (i) => e("DELETE", "/sessions/" + i), ticket: (i, c) => wt(t, i, c), logout() {
    return __async(this, null, function* () {
      yield t.T;
      let i = t.n || (yield Promise.resolve(t.w).catch(k)), c = i && x(t, v(t, "DELETE", "/session", i));
      H(t, i, "session_ended", true), yield c;
    });
  }, on(i, c) {
    let a = [i, c];
    return t.g.push(a), () => {
      t.g = t.g.filter((s) => s !== a);
    };
  }, now: () => R(t), installed: false, uninstall() {
    t.ot = true, r && r(o);
  } };
}
function Bt(t) {
  let e = {};
  for (let n of ["request", "uploadFile", "downloadFile", "connectSocket"]) e[n] = (r) => t.ot || r.yaopai ? t.t.c[n](r) : n === "connectSocket" ? bt(t, r) : V(t, n, r);
  return e;
}
function Ht(t, e) {
  let n = [], r = () => n.forEach((o) => o());
  for (let o in e) {
    let i = e[o], c = Object.getOwnPropertyDescriptor(t, o);
    try {
      t[o] = i;
    } catch (a) {
    }
    if (t[o] !== i) try {
      Object.defineProperty(t, o, { value: i, configurable: true, writable: true, enumerable: true });
    } catch (a) {
    }
    if (t[o] !== i) {
      r();
      return;
    }
    n.push(() => {
      if (t[o] === i) try {
        c ? Object.defineProperty(t, o, c) : delete t[o];
      } catch (a) {
      }
    });
  }
  return r;
}
var ft, Ft = (t) => kt(_t(t));
function Nt(t) {
  let e = $(t.platform), n = e.request.yaopai || ft;
  if (n && n.installed) return ft = n;
  let r = _t(t), o = kt(r), i = Bt(r);
  i.request.yaopai = o;
  let c = Ht(e, i), { uninstall: a } = o;
  return o.installed = !!c, o.uninstall = () => {
    a(), c && c(), o.installed = false;
  }, ft = o;
}
function Jt() {
  let t = ft || $().request.yaopai;
  if (!t) throw new Error("yaopai: install() comes first, in app.js");
  return t;
}
module.exports = { client: Jt, createClient: Ft, install: Nt };
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
