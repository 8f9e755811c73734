// The output of an attempt in memory: its bytes in one piece and where each line begins. Lines are decoded when they
// are looked at, so that 100 MB cost 100 MB and no more.

export const LOG_MAX_BYTES = 256 << 20
const SHOWN_CHARS = 4000 // of one line; the rest is counted
const BLOCK_LINES = 4096

export class LogStore {
  private bytes = new Uint8Array(64 << 10)
  private starts = new Uint32Array(1 << 10)
  length = 0
  private newlines = 0

  get isFull() {
    return this.length >= LOG_MAX_BYTES
  }

  // Lines so far; the last one may still grow.
  get lines() {
    return this.newlines + (this.length > this.starts[this.newlines] ? 1 : 0)
  }

  append(piece: Uint8Array) {
    const taken = piece.subarray(0, LOG_MAX_BYTES - this.length)
    if (this.length + taken.length > this.bytes.length) {
      const larger = new Uint8Array(Math.min(LOG_MAX_BYTES, Math.max(this.bytes.length * 2, this.length + taken.length)))
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

  private end(line: number) {
    return line < this.newlines ? this.starts[line + 1] - 1 : this.length
  }

  // One line as it is shown: what a carriage return has overwritten is gone, as on a terminal.
  line(number: number): string {
    const from = this.starts[number]
    const to = this.end(number)
    const text = new TextDecoder().decode(this.bytes.subarray(from, Math.min(to, from + SHOWN_CHARS * 4))).replace(/\r+$/, '')
    const shown = text.slice(text.lastIndexOf('\r') + 1)
    if (shown.length <= SHOWN_CHARS && to - from <= SHOWN_CHARS * 4) return shown
    return `${shown.slice(0, SHOWN_CHARS)} … ${(to - from - SHOWN_CHARS).toLocaleString()} more bytes in this line`
  }

  // Numbers of the lines that `test` holds for, in blocks, with a breath between them.
  async find(needle: RegExp, max: number, from: number, signal: AbortSignal): Promise<number[]> {
    const found: number[] = []
    const decoder = new TextDecoder()
    for (let first = from; first < this.lines && found.length < max; first += BLOCK_LINES) {
      const last = Math.min(this.lines, first + BLOCK_LINES)
      const text = decoder.decode(this.bytes.subarray(this.starts[first], this.end(last - 1)))
      if (needle.test(text)) {
        const lines = text.split('\n')
        for (let i = 0; i < lines.length && found.length < max; i++) if (needle.test(lines[i])) found.push(first + i)
      }
      await new Promise((resolve) => setTimeout(resolve))
      if (signal.aborted) break
    }
    return found
  }
}
