// One task of a run beside the graph: its state, why it is there, its attempts, and what one can do about it.

import { useState } from 'preact/hooks'
import { get } from './api'
import { useAttempts } from './attempts'
import { CancelDialog } from './cancel'
import { useLive } from './live'
import { NotebookDialog } from './notebook'
import { outputOf } from './output'
import { href } from './route'
import { Json, Value, withoutUnset } from './runtabs'
import { Pill, Shape, isFinal, isUnsuccessful, word } from './states'
import { Time, Took, attemptName, duration } from './time'
import type { Decision, Explanation, Origin, Provenance, Run, Status, TaskDef, TaskRun, TaskSummary } from './types'
import { CopyText, Message, Name, Problem, useSide, visible, visibleOutput } from './ui'

// Runs whose tasks can be canceled alone.
const GOING: Status[] = ['PENDING', 'RUNNING', 'PAUSED_MAINTENANCE']

export function TaskPanel({ run, mayRun, task, summary, repair, onClose }: {
  run: Run
  mayRun: boolean
  task: TaskDef
  summary: TaskSummary | undefined
  repair: number | null // null: the newest
  onClose: () => void
}) {
  const side = useSide(task.taskKey, onClose)
  const [isReading, setReading] = useState(false)
  const [asksCancel, setAsksCancel] = useState(false)
  const status = summary?.state.status ?? null
  const stamp = `${summary?.key} ${status} ${summary?.retryAttempt}`
  const { data: whole, error } = useLive<TaskRun | null>(`panel ${stamp}`,
    (signal) => (summary ? get(`/taskRuns/${summary.key}`, {}, signal) : Promise.resolve(null)), { isActive: () => false })
  const { data: explanation } = useLive<Explanation | null>(`why ${run.key} ${task.taskKey} ${stamp} ${repair}`,
    (signal) => (repair === null ? get(`/jobRuns/${run.key}/explanation`, { taskKey: task.taskKey }, signal) : Promise.resolve(null) /* it explains the newest */), { isActive: () => false })
  const explained = explanation?.tasks.find((t) => t.taskKey === task.taskKey)
  const decisions = explained?.decisions ?? []
  const origins = new Map((explained?.parameters ?? []).map((p) => [p.name, p]))
  const [isAll, setAll] = useState(false)
  const { attempts: known, more, error: unread } = useAttempts(whole ?? null, isAll)
  const attempts = [...known].reverse()
  const output = outputOf(run.key, task.type, summary)
  return (
    <aside class="side" ref={side} aria-label={`Task ${visible(task.taskKey)}`}>
      <header>
        <h2><Name text={task.taskKey} /></h2>
        <button type="button" class="quiet" aria-label="Close" onClick={onClose}>✕</button>
      </header>
      <Pill status={status} />
      {summary?.state.stateMessage !== word(status) && <p>{summary ? <Message text={summary.state.stateMessage} /> : 'It is not part of this attempt.'}</p>}
      <div class="actions">
        {output && <a class="button" href={output.to}>{output.text}</a>}
        {task.type === 'NOTEBOOK_TASK' && whole?.outputKey && isFinal(status) && (
          <button type="button" onClick={() => setReading(true)}>Show notebook</button>
        )}
        {mayRun && GOING.includes(run.state.status) && repair === null && status && status !== 'CANCELING' && !isFinal(status) && (
          <button type="button" onClick={() => setAsksCancel(true)}>Cancel this task</button>
        )}
        {mayRun && isFinal(run.state.status) && repair === null && (
          <a class="button" href={href(['runs', run.key, 'repair'], { tasks: task.taskKey })}>
            {isUnsuccessful(status) ? 'Repair this task…' : 'Run this task again…'}
          </a>
        )}
      </div>
      {error && <Problem error={error} />}
      <dl class="facts column">
        <div><dt>Started</dt><dd><Time at={summary?.startTime} /></dd></div>
        <div><dt>Took</dt><dd><Took from={summary?.startTime} to={summary?.endTime} isActive={!isFinal(status)} /></dd></div>
        {/^(app|application|local|spark)[-_]/.test(summary?.externalId ?? '') && <div><dt>Application</dt><dd>{summary!.externalId}</dd></div>}
        <div><dt>Runs if</dt><dd>{RUN_IF[task.runIf ?? 'ALL_SUCCESS'] ?? task.runIf}</dd></div>
      </dl>
      {decisions.length > 0 && (
        <section>
          <h3>Why</h3>
          <ul class="decisions">{decisions.map((d, i) => <Reason key={i} decision={d} />)}</ul>
        </section>
      )}
      {summary?.state.errorTrace && (
        <section>
          <h3>End of its error output</h3>
          <pre class="trace" tabIndex={0}>{visibleOutput(summary.state.errorTrace)}</pre>
        </section>
      )}
      {attempts.length > 0 && (
        <section>
          <h3>Attempts</h3>
          <ul class="attempts">
            {attempts.map((a) => (
              <li key={a.retryNumber}>
                <a href={href(['runs', run.key], { tab: 'logs', task: task.taskKey, attempt: a.retryNumber, repair })}>{attemptName(a.retryNumber)}</a>
                <Shape status={a.state.status} title />
                <span>{word(a.state.status)}</span>
                <Time at={a.startTime} />
                <span class="muted num">{duration(a.executionDuration)}{(a.setupDuration ?? 0) > 0 && ` after ${duration(a.setupDuration)} of set-up`}</span>
              </li>
            ))}
          </ul>
          {unread && <Problem error={unread} />}
          {more > 0 && <p><button type="button" class="small" disabled={isAll} onClick={() => setAll(true)}>Show {more} older</button></p>}
        </section>
      )}
      {!!whole?.parameters?.length && (
        <section>
          <h3>Parameters it {isFinal(status) ? 'had' : 'has'}</h3>
          <dl class="pairs">
            {whole.parameters.map((p) => (
              <div key={p.name}><dt><Name text={p.name} /></dt><dd><Value text={p.value} /> <From of={origins.get(p.name)} /></dd></div>
            ))}
          </dl>
        </section>
      )}
      {summary && <section><h3>Task run</h3><p class="row"><code class="ellipsis">{summary.key}</code><CopyText text={summary.key} /></p></section>}
      {asksCancel && <CancelDialog run={run} task={task.taskKey} onClose={() => setAsksCancel(false)} />}
      {isReading && whole && <NotebookDialog task={whole} onClose={() => setReading(false)} />}
      <details><summary>Definition</summary><Json value={withoutUnset(task)} /></details>
    </aside>
  )
}

const LAYERS = { JOB: 'the job', TASK: 'the task', RUN: 'the run', REPAIR: 'repair' }
const layer = ({ source, repair }: Origin) => LAYERS[source] + (source === 'REPAIR' ? ` ${repair}` : '')

// Which layer gave a value, and what it outranked.
function From({ of }: { of: Provenance | undefined }) {
  if (!of) return null
  const over = of.overrides.map((o) => `${layer(o)} (${visible(o.value ?? 'empty')})`).join(', ')
  return <span class="muted">from {layer(of)}{over && `, over ${over}`}</span>
}

export const RUN_IF: Record<string, string> = {
  ALL_SUCCESS: 'all before it succeeded',
  NONE_FAILED: 'none before it failed and one succeeded',
  AT_LEAST_ONE_SUCCESS: 'at least one before it succeeded',
  ALL_DONE: 'all before it are done, whatever their result',
  ALL_FAILED: 'all before it failed',
  AT_LEAST_ONE_FAILED: 'at least one before it failed',
}

const sentence = (kind: string) => visible(kind[0] + kind.slice(1).toLowerCase().replaceAll('_', ' '))

interface Compared {
  key: string
  left: string
  right: string
  value: boolean
}

function Reason({ decision }: { decision: Decision }) {
  const { kind, dependencies = [], result } = decision
  return (
    <li>
      <Time at={decision.time} />{' '}
      {kind === 'TRIGGER_RULE'
        ? <>Rule: {RUN_IF[decision.runIf ?? ''] ?? decision.runIf}. {result === 'RUN' ? 'It holds.' : <>It does not hold: {word(result as never)}.</>}</>
        : <>{sentence(kind)}{decision.attempt !== undefined ? ` after ${attemptName(Number(decision.attempt))}` : ''}{result ? `: ${visible(String(result))}` : ''}</>}
      {typeof decision.reason === 'string' && <> {visible(decision.reason)}</>}
      {typeof decision.outcome === 'string' && <>: {visible(String(decision.condition))} is {decision.outcome}</>}
      {Array.isArray(decision.expressions) && (
        <ul>
          {(decision.expressions as Compared[]).map((e) => (
            <li key={e.key}><code>{visible(e.key)}</code>: <Value text={e.left} /> and <Value text={e.right} />: {String(e.value)}</li>
          ))}
        </ul>
      )}
      {dependencies.length > 0 && (
        <ul>
          {dependencies.map((d) => (
            <li key={d.taskKey}>
              <Shape status={d.status} />
              <span><Name text={d.taskKey} />: {word(d.status)}{d.countsAs && <>, which counts as {word(d.countsAs)}</>}{d.outcome && <>, outcome {visible(d.outcome)}</>}{d.wantedOutcome && <> (needs {visible(d.wantedOutcome)})</>}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}
