export default { pages: ['pages/home/index', 'pages/bind/index', 'pages/order/index'], window: { navigationBarTitleText: 'Shop' } }
