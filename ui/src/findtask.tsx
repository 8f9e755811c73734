// Tasks of a big graph: found by a part of their name, and those that failed one after the other.

import { useMemo, useState } from 'preact/hooks'

export function FindTask({ keys, failures, onShow }: { keys: string[]; failures: string[]; onShow: (key: string) => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(-1) // in what is found
  const [failure, setFailure] = useState(-1)
  const found = useMemo(() => {
    const wanted = text.toLowerCase()
    return wanted ? keys.filter((key) => key.toLowerCase().includes(wanted)) : []
  }, [keys, text])
  function step(by: number) {
    if (!found.length) return
    const next = at < 0 ? (by < 0 ? found.length - 1 : 0) : (at + by + found.length) % found.length
    setAt(next)
    onShow(found[next])
  }
  function nextFailure() {
    const next = (failure + 1) % failures.length
    setFailure(next)
    onShow(failures[next])
  }
  return (
    <div class="toolbar">
      <div class="search">
        <input type="search" data-search placeholder="Find a task" aria-label="Find a task by a part of its name" value={text}
          onInput={(event) => (setText(event.currentTarget.value), setAt(-1))}
          onKeyDown={(event) => event.key === 'Enter' && (event.preventDefault(), step(event.shiftKey ? -1 : 1))} />
        <button type="button" aria-label="Previous match" disabled={!found.length} onClick={() => step(-1)}>↑</button>
        <button type="button" aria-label="Next match" disabled={!found.length} onClick={() => step(1)}>↓</button>
        {text && <span class="muted num" role="status">{!found.length ? 'none' : at < 0 ? `${found.length} found` : `${at + 1} of ${found.length}`}</span>}
      </div>
      <span class="grow" />
      {failures.length > 0 && <button type="button" onClick={nextFailure}>{failures.length === 1 ? 'Show what failed' : `Next of ${failures.length} that failed`}</button>}
    </div>
  )
}
