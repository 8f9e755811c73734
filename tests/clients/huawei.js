// Huawei Cloud's SDK core for Node against a Reprise server: one JSON object on stdin says where and who, one on stdout
// what came.    {"url","place","access","secret","job"}
'use strict';
const fs = require('fs');
const { BasicCredentials } = require('@huaweicloud/huaweicloud-sdk-core');
const { ClientBuilder } = require('@huaweicloud/huaweicloud-sdk-core/ClientBuilder');

const given = JSON.parse(fs.readFileSync(0, 'utf8'));

function clientWith(secret) {
  const credential = new BasicCredentials().withAk(given.access).withSk(secret).withProjectId('0'.repeat(32));
  return new ClientBuilder((hcClient) => hcClient).withCredential(credential).withEndpoint(given.url).build();
}

const client = clientWith(given.secret);

async function call(method, path, { data, query, params } = {}, by = client) {
  try {
    const answer = await by.sendRequest({
      url: given.place + path, method, contentType: 'application/json', queryParams: query || {}, pathParams: params || {},
      headers: { workspace: 'f'.repeat(32) }, data,
    });
    return { status: answer.httpStatusCode, body: answer };
  } catch (error) {
    return { status: error.httpStatusCode || error.statusCode || 0, message: String(error.errorMsg || error.message || error) };
  }
}

async function main() {
  const seen = {};
  seen.created = await call('POST', '/jobs', { data: given.job });
  const jobKey = seen.created.body.key;
  seen.job = await call('GET', '/jobs/{jobKey}', { params: { jobKey } });
  seen.listed = await call('GET', '/jobs', { query: { limit: 1, displayName: 'none' } });
  seen.run = await call('POST', '/jobRuns', { data: { jobKey } });
  seen.deleted = await call('DELETE', '/jobRuns/{key}', { params: { key: 'no-such-key' } });
  seen.wrongKey = await call('GET', '/jobs', {}, clientWith('another secret'));
  process.stdout.write('\n' + JSON.stringify(seen) + '\n');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
