// Two texts line by line: what is gone, what is new, what stays (Myers' greedy algorithm, bounded).

export interface DiffLine {
  sign: '+' | '-' | ' '
  text: string
}

const MAX_EDITS = 1500 // beyond it the middle counts as replaced: nobody reads such a difference line by line

export function diffLines(before: string[], after: string[]): DiffLine[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const line = (sign: DiffLine['sign']) => (text: string): DiffLine => ({ sign, text })
  return [
    ...before.slice(0, start).map(line(' ')),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(line(' ')),
  ]
}

function middle(a: string[], b: string[]): DiffLine[] {
  const trace: Int32Array[] = []
  const most = Math.min(a.length + b.length, MAX_EDITS)
  let v = new Int32Array(2 * most + 3)
  const zero = most + 1
  for (let d = 0; d <= most; d++) {
    trace.push(v.slice())
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && v[zero + k - 1] < v[zero + k + 1]) ? v[zero + k + 1] : v[zero + k - 1] + 1
      let y = x - k
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++
        y++
      }
      v[zero + k] = x
      if (x >= a.length && y >= b.length) return walkBack(a, b, trace, zero)
    }
  }
  return [...a.map((text): DiffLine => ({ sign: '-', text })), ...b.map((text): DiffLine => ({ sign: '+', text }))]
}

function walkBack(a: string[], b: string[], trace: Int32Array[], zero: number): DiffLine[] {
  const out: DiffLine[] = []
  let [x, y] = [a.length, b.length]
  for (let d = trace.length - 1; d >= 0; d--) {
    const v = trace[d]
    const k = x - y
    const from = k === -d || (k !== d && v[zero + k - 1] < v[zero + k + 1]) ? k + 1 : k - 1
    const [px, py] = [v[zero + from], v[zero + from] - from]
    while (x > px && y > py && x > 0 && y > 0) {
      x--
      y--
      out.push({ sign: ' ', text: a[x] })
    }
    if (d === 0) break
    if (x > px) out.push({ sign: '-', text: a[--x] })
    else if (y > py) out.push({ sign: '+', text: b[--y] })
  }
  return out.reverse()
}
