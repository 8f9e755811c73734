// Oracle's SDK for TypeScript against a Reprise server: one JSON object on stdin says where and who, one on stdout what came.
//   {"url","place","tenancy","user","fingerprint","privateKey","wrongKey"}
'use strict';
const fs = require('fs');
const { SimpleAuthenticationDetailsProvider, DefaultRequestSigner, FetchHttpClient, Region, composeRequest } = require('oci-common');

const given = JSON.parse(fs.readFileSync(0, 'utf8'));

function clientWith(pem) {
  const provider = new SimpleAuthenticationDetailsProvider(given.tenancy, given.user, given.fingerprint, pem, null,
    Region.US_PHOENIX_1);
  return new FetchHttpClient(new DefaultRequestSigner(provider));
}

const client = clientWith(given.privateKey);

async function call(method, path, { body, query, params, headers } = {}, by = client) {
  const request = await composeRequest({
    baseEndpoint: given.url, path: given.place + path, method, defaultHeaders: {}, pathParams: params || {},
    queryParams: query || {}, headerParams: headers || {}, bodyContent: body && JSON.stringify(body),
  });
  const answer = await by.send(request);
  const text = await answer.text();
  return {
    status: answer.status, body: text ? JSON.parse(text) : null, etag: answer.headers.get('etag'),
    requestId: answer.headers.get('opc-request-id'), nextPage: answer.headers.get('opc-next-page'),
  };
}

async function main() {
  const seen = {};
  seen.created = await call('POST', '/jobs', { body: given.job });
  const jobKey = seen.created.body.key;
  seen.job = await call('GET', '/jobs/{jobKey}', { params: { '{jobKey}': jobKey } });
  seen.listed = await call('GET', '/jobs', { query: { displayName: 'name of a job & more', limit: 1 } });
  seen.run = await call('POST', '/jobRuns', { body: { jobKey }, headers: { 'opc-retry-token': 'a-token' } });
  const params = { '{jobRunKey}': seen.run.body.key };
  do {
    seen.got = await call('GET', '/jobRuns/{jobRunKey}', { params });
  } while (['PENDING', 'RUNNING', 'QUEUED'].includes(seen.got.body.state.status));
  seen.cancelled = await call('POST', '/jobRuns/{jobRunKey}/actions/cancel', { params });
  seen.repaired = await call('POST', '/jobRuns/{jobRunKey}/actions/repair',
    { params, body: { repairMode: 'RERUN' }, headers: { 'if-match': seen.got.etag } });
  do {
    seen.again = await call('GET', '/jobRuns/{jobRunKey}', { params });
  } while (['PENDING', 'RUNNING', 'QUEUED'].includes(seen.again.body.state.status));
  seen.updated = await call('PUT', '/jobs/{jobKey}', { params: { '{jobKey}': jobKey }, body: given.job });
  seen.deleted = await call('DELETE', '/jobRuns/{jobRunKey}', { params });
  seen.wrongKey = await call('GET', '/jobs', {}, clientWith(given.wrongKey));
  process.stdout.write('\n' + JSON.stringify(seen) + '\n');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
