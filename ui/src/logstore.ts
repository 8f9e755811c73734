// The output of an attempt in memory: its bytes in one piece and where each line begins. Lines are decoded when they
// are looked at, so that 100 MB cost 100 MB and no more. What is longer than there is room for has its middle left out.

import { plainLine } from './plain'

// Together a little more than what a server keeps of an output if nothing else is said, with the line that says where it was cut.
const HEAD_BYTES = 192 << 20
const TAIL_BYTES = 65 << 20
const SHOWN_CHARS = 4000 // of one line; the rest is counted
const BLOCK_LINES = 4096
const BREATH_MS = 12

// Lines without what is not seen of them: sequences of terminals, and what a carriage return has overwritten.
const asShown = (text: string) => (/[\u001b\r]/.test(text)
  ? text.split('\n').map(plainLine).join('\n') : text)

export class LogStore {
  private bytes = new Uint8Array(64 << 10)
  private starts = new Uint32Array(1 << 10)
  length = 0
  private newlines = 0
  private room: number
  private headShift = 0 // from bytes here to those of the output, in the beginning
  private skipsToLine = false
  gapLine = -1 // the line that stands for what is left out
  leftOut = 0 // bytes
  leaps = 0 // numbers of lines behind the gap hold until the next

  constructor(private headBytes = HEAD_BYTES, private tailBytes = TAIL_BYTES) {
    this.room = headBytes + tailBytes
  }

  get isFull() {
    return this.length >= this.room
  }

  // Of a line; behind what is left out nobody knows it.
  numberOf(line: number) {
    return this.gapLine < 0 || line < this.gapLine ? line + 1 : null
  }

  // Lines so far; the last one may still grow.
  get lines() {
    return this.newlines + (this.length > this.starts[this.newlines] ? 1 : 0)
  }

  // `at`: byte of the output that the piece begins with. How many bytes of it are done with.
  append(piece: Uint8Array, at: number): number {
    if (this.gapLine < 0 && this.length <= this.headBytes) this.headShift = at - this.length
    const skipped = this.skipsToLine ? piece.indexOf(10) + 1 : 0 // the rest of a line
    this.skipsToLine = false
    const taken = piece.subarray(skipped, skipped + this.room - this.length)
    this.put(taken)
    return skipped + taken.length
  }

  private put(taken: Uint8Array) {
    if (this.length + taken.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(Math.min(this.room, this.bytes.length * 2), this.length + taken.length))
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    }
    this.bytes.set(taken, this.length)
    for (let at = taken.indexOf(10); at >= 0; at = taken.indexOf(10, at + 1)) {
      if (++this.newlines === this.starts.length) {
        const larger = new Uint32Array(this.starts.length * 2)
        larger.set(this.starts)
        this.starts = larger
      }
      this.starts[this.newlines] = this.length + at + 1
    }
    this.length += taken.length
  }

  // Keeps the beginning, and leaves out what comes before the last bytes of an output that ends (so far) at `end`: as many
  // as fill that share of the room. The byte to go on with.
  leap(end: number, share: number): number {
    this.leaps++
    if (this.gapLine < 0) {
      let [least, most] = [0, this.newlines]
      while (least < most) {
        const half = (least + most + 1) >> 1
        if (this.starts[half] <= this.headBytes) least = half
        else most = half - 1
      }
      this.gapLine = least
    }
    this.newlines = this.gapLine
    this.length = this.starts[this.gapLine]
    const from = this.length + this.headShift
    const next = Math.max(from, end - Math.floor(this.tailBytes * share))
    this.leftOut = next - from
    this.room = Infinity
    this.put(new TextEncoder().encode(`--- the page leaves out bytes ${from} to ${next - 1}: Download has them ---\n`))
    this.room = this.length + this.tailBytes
    this.skipsToLine = true
    return next
  }

  private end(line: number) {
    return line < this.newlines ? this.starts[line + 1] - 1 : this.length
  }

  // One line as it is shown: what a carriage return has overwritten is gone, as on a terminal.
  line(number: number): string {
    const from = this.starts[number]
    const to = this.end(number)
    const text = new TextDecoder().decode(this.bytes.subarray(from, Math.min(to, from + SHOWN_CHARS * 4))).replace(/\r+$/, '')
    const begins = text.lastIndexOf('\r') + 1
    const shown = text.slice(begins)
    if (shown.length <= SHOWN_CHARS && to - from <= SHOWN_CHARS * 4) return shown
    const done = new TextEncoder().encode(text.slice(0, begins + SHOWN_CHARS)).length
    return `${shown.slice(0, SHOWN_CHARS)} … ${Math.max(0, to - from - done).toLocaleString()} more bytes in this line`
  }

  // Numbers of the lines in which the needle is found as they are shown, in blocks, with a breath between them.
  async find(needle: RegExp, max: number, from: number, signal: AbortSignal): Promise<number[]> {
    const found: number[] = []
    const decoder = new TextDecoder()
    const inBlock = new RegExp(needle.source, `${needle.flags}m`) // a line may begin anywhere in it
    let breath = performance.now()
    for (let first = from; first < this.lines && found.length < max; first += BLOCK_LINES) {
      const last = Math.min(this.lines, first + BLOCK_LINES)
      const text = asShown(decoder.decode(this.bytes.subarray(this.starts[first], this.end(last - 1))))
      if (inBlock.test(text)) {
        const lines = text.split('\n')
        for (let i = 0; i < lines.length && found.length < max; i++) if (needle.test(lines[i])) found.push(first + i)
      }
      if (performance.now() - breath > BREATH_MS) {
        await new Promise((resolve) => setTimeout(resolve))
        breath = performance.now()
      }
      if (signal.aborted) break
    }
    return found
  }
}
