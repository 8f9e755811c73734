// The users of the server, and what each may do in the workspace at hand.

import { useState } from 'preact/hooks'
import { accounts, call, listAccounts, me, workspaceKey } from './api'
import { FormDialog } from './formdialog'
import { useLive } from './live'
import { href } from './route'
import { Time } from './time'
import { Loading, Name, Problem, Table, visible } from './ui'

interface User {
  key: string
  name: string
  isDisabled: boolean
  hasPassword: boolean
  roles: { workspaceKey: string; role: string }[]
  timeCreated: string
}

const ROLES: [string, string][] = [['VIEWER', 'looks'], ['OPERATOR', 'runs and repairs too'], ['ADMIN', 'changes everything']]

export function UsersTab() {
  const workspace = workspaceKey()
  const { data, error, refresh } = useLive<User[]>('users', (signal) => listAccounts('/users', {}, signal), { every: 15_000 })
  const [isMaking, setMaking] = useState(false)
  const [refusal, setRefusal] = useState<unknown>(null)
  async function change(user: User, body: object) {
    try {
      await call(accounts(`/users/${encodeURIComponent(user.key)}`), { method: 'PUT', body })
      setRefusal(null)
    } catch (refused) {
      setRefusal(refused)
    }
    refresh()
  }
  const problem = error ?? refusal
  const roleOf = (user: User) => user.roles.find((r) => r.workspaceKey === workspace)?.role ?? ''
  return (
    <>
      <div class="toolbar">
        <span class="muted">A role counts in this workspace. A user signs in with a token of theirs.</span>
        <span class="grow" />
        <button type="button" onClick={() => setMaking(true)}>New user…</button>
      </div>
      {problem !== null && <Problem error={problem} />}
      {!data ? !error && <Loading /> : (
        <Table label="Users" rowPx={42} wrappedPx={136} items={data} keyOf={(user) => user.key} columns={[
          { title: 'User', width: 'minmax(10rem, 1fr)', narrow: 'n-grow', cell: (user) => <><Name text={user.name} />{user.key === me.value.key && <span class="muted"> (you)</span>}</> },
          { title: 'Role', width: '16rem', narrow: 'n-full', cell: (user) => (
            <select aria-label={`Role of ${visible(user.name)}`} value={roleOf(user)} disabled={user.key === me.value.key} onChange={(event) => change(user, { role: event.currentTarget.value, workspaceKey: workspace })}>
              <option value={roleOf(user) ? 'NONE' : ''}>none here</option>
              {ROLES.map(([role, words]) => <option key={role} value={role}>{role.toLowerCase()}: {words}</option>)}
            </select>
          ) },
          { title: 'Let in', width: '6rem', cell: (user) => (
            <button type="button" class="switch" role="switch" aria-checked={!user.isDisabled} aria-label={`Let ${visible(user.name)} in`}
              disabled={user.key === me.value.key} onClick={() => change(user, { isDisabled: !user.isDisabled })}><i aria-hidden="true" />{user.isDisabled ? 'No' : 'Yes'}</button>
          ) },
          { title: 'Made', width: '10rem', cell: (user) => <Time at={user.timeCreated} /> },
          { title: 'Signs in with', width: '12rem', narrow: 'n-full', cell: (user) => <a href={href(['access'], { tab: 'tokens', user: user.name })}>Tokens{user.hasPassword && ', a password'}</a> },
        ]} />
      )}
      {isMaking && <UserDialog workspace={workspace} onClose={() => (setMaking(false), refresh())} />}
    </>
  )
}

function UserDialog({ workspace, onClose }: { workspace: string; onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState('OPERATOR')
  return (
    <FormDialog title="New user" verb="Make" doing="Making…" onClose={onClose}
      onSubmit={() => call(accounts('/users'), { method: 'POST', body: { name, role, workspaceKey: workspace } })}>
      <label class="field">Name<input required maxLength={128} autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
      <label class="field">Role
        <select value={role} onChange={(event) => setRole(event.currentTarget.value)}>{ROLES.map(([id, words]) => <option key={id} value={id}>{id.toLowerCase()}: {words}</option>)}</select>
      </label>
      <p class="muted">Then make a token, under <b>Tokens</b> of that user, and hand it over.</p>
    </FormDialog>
  )
}
