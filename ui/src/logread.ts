// Reading an output to its end, whatever its size: all of it where there is room, else its beginning and its end, where
// the error is, with a line in between that says what is left out. Of one that grows the end is read anew whenever it has
// outgrown its room.

import type { LogStore } from './logstore'

// What there is from a byte on: at which byte that really begins, and the pieces.
export type Read = (offset: number, signal: AbortSignal) => Promise<{ offset: number; pieces: AsyncIterable<Uint8Array> }>
// The byte behind some of what there is from a byte on; that byte itself where there is nothing.
export type Probe = (offset: number, signal: AbortSignal) => Promise<number>

const NEAR_BYTES = 4 << 20 // as far as one answer goes

export class LogReader {
  next = 0 // byte of the output to go on with

  constructor(readonly store: LogStore, private isGrowing: () => boolean, private read: Read, private probe: Probe) {}

  // Until the answer ends or the room is used up; false when nothing came.
  async readOnce(signal: AbortSignal, onChange: () => void): Promise<boolean> {
    if (this.store.isFull) await this.leap(signal)
    const from = this.next
    if (this.store.isFull) return false
    const { offset, pieces } = await this.read(this.next, signal)
    this.next = offset
    for await (const piece of pieces) {
      this.next += this.store.append(piece, this.next)
      onChange()
      if (this.store.isFull) return true
    }
    return this.next > from
  }

  private async leap(signal: AbortSignal) {
    const end = await this.end(signal)
    if (end <= this.next) return // it was just full
    this.next = this.store.leap(end, this.isGrowing() ? 0.5 : 1) // half of the room is for what comes
  }

  // By asking ever further, then between: a few answers that nobody waits to read, however long the output is.
  private async end(signal: AbortSignal): Promise<number> {
    let [known, beyond, step] = [this.next, Infinity, NEAR_BYTES * 16]
    for (;;) {
      const on = await this.probe(known, signal)
      if (on === known) return known
      known = on
      const at = beyond === Infinity ? known + step : Math.floor((known + beyond) / 2)
      if (at - known < NEAR_BYTES) continue
      const told = await this.probe(at, signal)
      if (told === at) beyond = at
      else [known, step] = [told, step * 2]
    }
  }
}
