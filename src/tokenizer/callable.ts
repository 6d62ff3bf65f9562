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
    Reflect.deleteProperty(call, "name");
    Reflect.deleteProperty(call, "length"); // else they hide the properties of the class
    const self = Object.setPrototypeOf(call, new.target.prototype);
    return self;
  }

  /** What a call does. */
  abstract _call(...args: unknown[]): unknown;
}
