import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'

/** The shop's customers. The passwords stand here because they are an example's; the table below holds only their hashes. */
export const PEOPLE = [
  { id: 1001, account: 'xiaoming', password: 'noodles-88', name: '小明' },
  { id: 1002, account: 'lilei', password: 'dumpling-42', name: '李雷' },
  { id: 1003, account: 'xiaohong', password: 'hotpot-66', name: '小红' },
  { id: 1004, account: 'hanmeimei', password: 'peach-27', name: '韩梅梅', phone: '13800138004' },
  { id: 1005, account: 'wangfang', password: 'persimmon-19', name: '王芳', phone: '13800138005' },
]

const hash = (password, salt) => scryptSync(password, salt, 32)

/** The table of accounts, with the column that many teams have already: the openid that an account is bound to. */
export class Accounts {
  #rows
  // Compared with when there is no such account, so that the time an answer takes tells nobody which accounts exist.
  #nobody = { salt: randomBytes(16), hash: randomBytes(32) }

  constructor(people = PEOPLE) {
    this.#rows = people.map(({ password, ...row }) => {
      const salt = randomBytes(16)
      return { openid: null, ...row, salt, hash: hash(password, salt) }
    })
  }

  byId(id) {
    return this.#rows.find(row => String(row.id) === String(id))
  }

  byAccount(account) {
    return this.#rows.find(row => row.account === account)
  }

  byOpenid(openid) {
    return this.#rows.find(row => row.openid !== null && row.openid === openid)
  }

  /** By a mainland number without the country's code; the shop has no other customers. */
  byPhone(pure) {
    return this.#rows.find(row => row.phone !== undefined && row.phone === pure)
  }

  /** The account, if the password is its own. */
  byPassword(account, password) {
    const row = this.byAccount(account)
    const known = row ?? this.#nobody
    const right = timingSafeEqual(hash(String(password ?? ''), known.salt), known.hash)
    return row && right ? row : undefined
  }
}

/** Enough to know the own account by, not enough to tell a stranger. */
export function masked(account) {
  const letters = [...account]
  return `${letters.slice(0, 2).join('')}***${letters.slice(-2).join('')}`
}
