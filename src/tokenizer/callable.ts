/**
 * Objects that can be called.
 *
 * @module
 */

/** Base of classes whose instances are functions: calling one calls its method `_call`. */
export abstract class Callable {
  /** Makes the function. */
  constructor() {
    const call = (...args: unknown[]): unknown => (self as unknown as Callable)._call(...args);
    for (const name of ["name", "length"]) Reflect.deleteProperty(call, name); // they would hide those of the class
    const self = Object.setPrototypeOf(call, new.target.prototype);
    return self;
  }

  /** What a call does. */
  abstract _call(...args: unknown[]): unknown;
}
