/**
 * Freezing of whole values, maps included, so that a write to them throws.
 *
 * Byte strings cannot be frozen; they are left as they are.
 *
 * @module
 */

const done = new WeakSet<object>();

function refuse(): never {
  throw new TypeError('a frozen map was changed');
}

/** Freezes a value and all it holds. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || done.has(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  done.add(value);
  if (value instanceof Map) {
    for (const [key, item] of value) {
      deepFreeze(key);
      deepFreeze(item);
    }
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse });
  } else {
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return Object.freeze(value);
}
