import { addGlobalErrorListener, addGlobalWarningListener, globalOptions } from 'glass-easel'

/** An error in a handler of an app is an error of the page, and stops nothing else; what the framework warns of is for the console. */
export function setGlobalOptions() {
  globalOptions.throwGlobalError = false
  // Style sheets and tests look for ids.
  globalOptions.writeIdToDOM = true
  addGlobalErrorListener(error => {
    reportError(error)
    return false
  })
  addGlobalWarningListener(warning => {
    console.debug(String(warning?.message ?? warning))
    return false
  })
}
