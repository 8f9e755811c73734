// Choices of the reader's, kept in the browser.

import { type Signal, signal } from '@preact/signals'

// One of `values`, the first of them until another is chosen.
export function kept<T extends string>(name: string, values: T[]): Signal<T> {
  const before = localStorage.getItem(name) as T
  const choice = signal<T>(values.includes(before) ? before : values[0])
  choice.subscribe((now) => localStorage.setItem(name, now))
  return choice
}
