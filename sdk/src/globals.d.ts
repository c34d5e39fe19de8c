// The few globals of a mini program's logic layer that this code uses.
declare function setTimeout(call: () => void, ms: number): number
declare const getCurrentPages: undefined | (() => Array<{ route: string; options?: Record<string, string> }>)
