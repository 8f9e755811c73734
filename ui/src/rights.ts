// What the caller may do with one job: what the role in the workspace allows, or what was given on that job. The server
// decides; this only spares buttons that it would refuse, and offers those that it would not.

import { list, mayEdit, mayOperate, me, role } from './api'
import { useLive } from './live'
import type { Grant } from './types'

const ROLES = ['VIEWER', 'OPERATOR', 'ADMIN']
const EVERY_MS = 15_000

interface Rights {
  mayRun: boolean // run it, cancel, repair and delete its runs
  mayChange: boolean // its definition
  isKnown: boolean // or is it being asked
}

// What is given to a role is given to those above it, and each permission is worth what stands before it.
const isMine = ({ grantee, granteeType }: Grant) =>
  granteeType === 'USER' ? grantee === me.value.key : ROLES.includes(grantee) && ROLES.indexOf(grantee) <= ROLES.indexOf(role.value ?? '')

export function useRights(jobKey: string | undefined): Rights {
  const isAsked = jobKey !== undefined && !mayEdit.value
  const { data } = useLive<string[]>(`rights ${isAsked ? jobKey : ''}`, async (signal) =>
    isAsked ? (await list<Grant>(`/jobs/${encodeURIComponent(jobKey)}/permissions`, { limit: 1000 }, signal)).items.filter(isMine).flatMap((g) => g.granteePermissions) : [],
  { isActive: () => isAsked, every: EVERY_MS })
  const has = (...names: string[]) => !!data?.some((name) => names.includes(name))
  return { mayRun: mayOperate.value || has('USE', 'MANAGE', 'ADMIN'), mayChange: mayEdit.value || has('MANAGE', 'ADMIN'), isKnown: !isAsked || data !== undefined }
}
