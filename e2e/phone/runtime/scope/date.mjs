/** `Date` by the phone's clock. */
export function makeDate(clock) {
  const Real = Date
  function PhoneDate(...args) {
    if (new.target === undefined) return new Real(clock.now()).toString()
    return Reflect.construct(Real, args.length === 0 ? [clock.now()] : args, new.target)
  }
  Object.setPrototypeOf(PhoneDate, Real)
  PhoneDate.prototype = Object.create(Real.prototype, { constructor: { value: PhoneDate, writable: true, configurable: true } })
  PhoneDate.now = () => clock.now()
  return PhoneDate
}
