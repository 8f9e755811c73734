// Tasks of a big graph: found by a part of their name, and those that failed one after the other.

import { useMemo, useState } from 'preact/hooks'
import type { TaskDef } from './types'
import { Finder } from './ui'

export function FindTask({ tasks, failures, onShow }: { tasks: TaskDef[]; failures: string[]; onShow: (key: string) => void }) {
  const [text, setText] = useState('')
  const [shown, setShown] = useState('') // the last of what is found
  const [failure, setFailure] = useState('') // of what failed
  const found = useMemo(() => {
    const wanted = text.toLowerCase()
    return wanted ? tasks.map((task) => task.taskKey).filter((key) => key.toLowerCase().includes(wanted)) : []
  }, [tasks, text])
  function show(key: string, note: (key: string) => void) {
    note(key)
    onShow(key)
  }
  return (
    <div class="toolbar">
      <Finder label="Find a task by a part of its name" placeholder="Find a task" text={text} onText={(now) => (setText(now), setShown(''))}
        count={found.length} at={found.indexOf(shown)} onStep={(to) => show(found[to], setShown)} />
      <span class="grow" />
      {failures.length > 0 && (
        <button type="button" onClick={() => show(failures[(failures.indexOf(failure) + 1) % failures.length], setFailure)}>
          {failures.length === 1 ? 'Show what failed' : `Next of ${failures.length} that failed`}
        </button>
      )}
    </div>
  )
}
