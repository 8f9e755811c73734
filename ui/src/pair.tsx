// A parameter that is added by hand: its name and value, and a hint where that name is nobody's.

import { useId } from 'preact/hooks'
import { nearest } from './near'
import { Name } from './ui'

const MOST_ROWS = 12 // then it scrolls

// A field for a value, which may have line breaks: as high as its lines are many. As long as it has none Enter sends the form, as in other
// fields; with Shift it begins a line.
export function ValueField({ value, onValue, ...more }: {
  value: string
  onValue: (value: string) => void
  [attribute: string]: unknown
}) {
  return (
    <textarea {...more} rows={Math.min(MOST_ROWS, value.split('\n').length)} value={value} title="Shift and Enter: a new line" spellcheck={false}
      onInput={(event) => onValue(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing || value.includes('\n')) return
        event.preventDefault()
        event.currentTarget.form?.querySelector<HTMLElement>('[type=submit]')?.click()
      }} />
  )
}

export interface Pair {
  name: string
  value: string
}

// `names`: those that there are; null: not known. `isTaken`: it is changed elsewhere, under the same name.
export function PairFields({ pair, names, isTaken = false, whose, onChange, onRemove }: {
  pair: Pair
  names: string[] | null
  isTaken?: boolean
  whose: string
  onChange: (pair: Pair) => void
  onRemove: () => void
}) {
  const id = useId()
  const isUnknown = !isTaken && names !== null && pair.name !== '' && !names.includes(pair.name)
  const near = isUnknown ? nearest(pair.name, names) : null
  return (
    <div class="pair">
      <input aria-label="Name of the new parameter" placeholder="name" value={pair.name} pattern="[\w\-.]+" aria-invalid={isTaken}
        aria-describedby={isUnknown || isTaken ? id : undefined}
        onInput={(event) => onChange({ ...pair, name: event.currentTarget.value })} />
      <ValueField aria-label="Value of the new parameter" placeholder="value" value={pair.value} onValue={(value) => onChange({ ...pair, value })} />
      <button type="button" class="quiet" aria-label="Remove" onClick={onRemove}>✕</button>
      {isTaken && <p class="pair-hint" id={id}>There is a field for this name already: change its value there.</p>}
      {isUnknown && <p class="pair-hint" id={id}>{whose} has no parameter of this name.{near !== null && <> Did you mean <b><Name text={near} /></b>?</>}</p>}
    </div>
  )
}
