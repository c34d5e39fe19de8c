/** The tags that an app needn't declare. Each is a `wx-` element in the page, so that a browser has no ideas of its own about it. */
export const BUILT_IN = [
  'view', 'text', 'button', 'input', 'textarea', 'form', 'label', 'image', 'icon', 'scroll-view', 'swiper', 'swiper-item', 'picker',
  'picker-view', 'picker-view-column', 'checkbox', 'checkbox-group', 'radio', 'radio-group', 'switch', 'slider', 'progress', 'navigator',
  'web-view', 'rich-text', 'cover-view', 'cover-image', 'movable-area', 'movable-view', 'canvas', 'video', 'audio', 'map', 'camera',
  'open-data', 'official-account', 'page-meta', 'navigation-bar', 'root-portal', 'match-media', 'page-container', 'share-element', 'editor', 'ad',
]
