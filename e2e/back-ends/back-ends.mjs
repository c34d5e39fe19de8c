import { fileURLToPath } from 'node:url'

const folder = name => fileURLToPath(new URL(`../../examples/back-ends/${name}/`, import.meta.url))

/** The back ends with sessions of their own: how each is started, as its README says. */
export const BACK_ENDS = {
  // One worker, one request at a time: workers of its own would outlive it.
  php: port => ({ program: 'php', args: ['-S', `127.0.0.1:${port}`, 'index.php'], cwd: folder('php'), env: {} }),
  express: port => ({ program: process.execPath, args: ['server.mjs'], cwd: folder('express'), env: { PORT: `${port}` } }),
  shiro: port => ({ program: 'java', args: ['-cp', 'target/classes:target/lib/*', 'shop.Shop', `${port}`], cwd: folder('shiro'), env: {} }),
}
