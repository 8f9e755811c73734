// What somebody may have meant by a name that there is not.

// How many characters are to be put in, taken out, replaced or swapped with the next.
export function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(row[j - 1] + 1, last[j] + 1, last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1)
    }
    ;[before, last] = [last, row]
  }
  return last[b.length]
}

const LONGEST = 100 // of what is compared

// The nearest of the names, if one is near: a third of it may be wrong. Case does not count.
export function nearest(name: string, names: string[]): string | null {
  const wanted = name.toLowerCase()
  let [best, least] = [null as string | null, Math.floor(Math.max(3, wanted.length) / 3) + 0.5]
  if (wanted.length > LONGEST) return null
  for (const one of names) {
    if (Math.abs(one.length - wanted.length) > least) continue
    const far = distance(wanted, one.toLowerCase())
    if (far < least) [best, least] = [one, far]
  }
  return best
}
