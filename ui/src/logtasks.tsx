// Whose log is shown: the tasks of a run, those that failed first, and found by name where there are many.

import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Shape, isOwnFailure } from './states'
import type { Status } from './types'
import { Name } from './ui'

const MANY = 10

export interface LogTask {
  key: string
  status: Status | null
}

export function LogTasks({ tasks, current, onOpen }: { tasks: LogTask[]; current: string; onOpen: (key: string) => void }) {
  const [text, setText] = useState('')
  const names = useRef<HTMLDivElement>(null)
  const shown = useMemo(() => {
    const wanted = text.toLowerCase()
    const found = tasks.filter((task) => task.key.toLowerCase().includes(wanted))
    return [...found.filter((task) => isOwnFailure(task.status)), ...found.filter((task) => !isOwnFailure(task.status))]
  }, [tasks, text])
  useLayoutEffect(() => reveal(names.current), [current, text === ''])
  return (
    <nav class="logs-tasks" aria-label="Tasks">
      {tasks.length > MANY && (
        <input type="search" data-search placeholder="Find a task" aria-label="Find a task by a part of its name" value={text}
          onInput={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => event.key === 'Enter' && shown[0] && onOpen(shown[0].key)} />
      )}
      <div class="logs-names" ref={names}>
        {shown.map((task) => (
          <button key={task.key} type="button" aria-current={task.key === current} onClick={() => onOpen(task.key)}>
            <Shape status={task.status} title /><Name text={task.key} />
          </button>
        ))}
        {!shown.length && <p class="muted" role="status">No task has that in its name</p>}
      </div>
    </nav>
  )
}

// The list alone is scrolled, not what it stands in.
function reveal(box: HTMLElement | null) {
  const one = box?.querySelector('[aria-current=true]')
  if (!box || !one) return
  const [outer, inner] = [box.getBoundingClientRect(), one.getBoundingClientRect()]
  if (inner.top < outer.top || inner.bottom > outer.bottom) box.scrollTop += (inner.top + inner.bottom - outer.top - outer.bottom) / 2
  if (inner.left < outer.left || inner.right > outer.right) box.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2
}
