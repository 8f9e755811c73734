// Lines that are as high as their text takes: some hundred at a time are there, others come when they are asked for. What has
// rows of one height, of which only those in sight exist, is useRows.

import { useLayoutEffect, useState } from 'preact/hooks'
import type { Rows } from './ui'

const LINES = 400
const STEP = 100 // by which the window follows what grows

export interface Wrapped {
  first: number
  last: number // exclusive
  scrollTo: (line: number) => void
  atEnd: () => boolean
  earlier: () => void
  later: () => void
  topLine: () => number // in sight
}

const floor = (line: number) => Math.max(0, Math.floor(line / STEP) * STEP)

// `box` scrolls; each line in it has its number as data-line. Count: of all lines.
export function useWrapped(box: Rows['ref'], count: number): Wrapped {
  const [view, setView] = useState<{ first: number; wanted: number | null; block: 'centre' | 'top' | 'bottom' }>({ first: 0, wanted: null, block: 'centre' })
  const first = Math.min(view.first, floor(count - 1))
  const last = Math.min(count, first + LINES + STEP)
  const lineAt = (line: number) => box.current?.querySelector<HTMLElement>(`[data-line="${line}"]`)

  useLayoutEffect(() => {
    const [outer, line] = [box.current, view.wanted === null ? null : lineAt(Math.min(view.wanted, count - 1))]
    if (!outer || !line) return
    const [frame, place] = [outer.getBoundingClientRect(), line.getBoundingClientRect()]
    const room = view.block === 'top' ? 0 : view.block === 'bottom' ? frame.height - place.height : (frame.height - place.height) / 2
    outer.scrollTop += place.top - frame.top - Math.max(0, room)
  }, [view])

  // Where there is no more of them the button goes, and the lines have its focus.
  function go(next: number, wanted: number, block: 'top' | 'bottom') {
    if (next === 0 || next + LINES + STEP >= count) box.current?.focus()
    setView({ first: next, wanted, block })
  }

  return {
    first,
    last,
    scrollTo: (line) => setView(({ first }) => {
      const isNear = line >= first + Math.min(STEP, first) && line < first + LINES
      return { first: isNear ? first : line >= count ? floor(count - LINES) : floor(line - LINES / 2), wanted: line, block: line >= count ? 'bottom' : 'centre' }
    }),
    atEnd: () => last === count && (!box.current || box.current.scrollTop + box.current.clientHeight >= box.current.scrollHeight - 4),
    earlier: () => go(floor(first - LINES / 2), first, 'top'),
    later: () => go(first + LINES / 2, last - 1, 'bottom'),
    topLine: () => {
      const top = box.current?.getBoundingClientRect().top ?? 0
      for (let line = first; line < last; line++) if ((lineAt(line)?.getBoundingClientRect().bottom ?? 0) > top) return line
      return first
    },
  }
}
