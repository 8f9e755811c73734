// Huawei Cloud's SDK core for Node as a client of the DataArts dialect: lists instances, reruns one that failed, watches it,
// reruns a range, watches that. One JSON object on stdin says where and who, one on stdout what came.
//     {"url","project","workspace","access","secret","job"}
'use strict';
const fs = require('fs');
const { BasicCredentials } = require('@huaweicloud/huaweicloud-sdk-core');
const { ClientBuilder } = require('@huaweicloud/huaweicloud-sdk-core/ClientBuilder');

const given = JSON.parse(fs.readFileSync(0, 'utf8'));

function clientWith(secret, project = given.project) {
  const credential = new BasicCredentials().withAk(given.access).withSk(secret).withProjectId(project);
  return new ClientBuilder((hcClient) => hcClient).withCredential(credential).withEndpoint(given.url).build();
}

const client = clientWith(given.secret);

async function call(method, url, { data, query, params, headers } = {}, by = client) {
  try {
    const answer = await by.sendRequest({
      url, method, contentType: 'application/json', queryParams: query || {},
      pathParams: { project_id: given.project, job_name: given.job, ...params },
      headers: { workspace: given.workspace, ...headers }, data,
    });
    return { status: answer.httpStatusCode, body: answer };
  } catch (error) {
    return {
      status: error.httpStatusCode || error.statusCode || 0, code: error.errorCode, message: String(error.errorMsg || error.message),
      requestId: error.requestId,
    };
  }
}

const factory = '/v2/{project_id}/factory';
const retry = factory + '/jobs/{job_name}/instances/retry';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function instances() {
  const answer = await call('GET', factory + '/jobs/{job_name}/instances/detail', { query: { limit: 100, instance_type: 0 } });
  return answer.body.instances;
}

async function watch(ids) {
  for (;;) {
    const found = (await instances()).filter((item) => ids.includes(item.instance_id));
    if (found.every((item) => ['success', 'fail', 'manual-stop'].includes(item.status))) return found;
    await pause(30);
  }
}

async function main() {
  const seen = {};
  seen.before = await instances();
  const [one] = seen.before.slice(-1);
  const key = { job_id: one.job_id, plan_time: one.plan_time, submit_time: one.submit_time };
  const body = { retry_location: 'errorNode', retry_task_version: 'original_version', ignore_obs_monitor: true };
  seen.chosen = await call('POST', retry, { data: { ...body, task_retrys: [key] } });
  seen.afterChosen = await watch([one.instance_id]);
  const times = seen.before.map((item) => item.plan_time);
  seen.range = await call('POST', retry, {
    data: { ...body, retry_task_version: 'current_version', begin_time: Math.min(...times), end_time: Math.max(...times), concurrent: 2 },
  });
  for (let tries = 0; tries < 400; tries++) {
    seen.afterRange = await instances();
    if (seen.afterRange.every((item) => item.status === 'success')) break;
    await pause(30);
  }
  seen.unknownJob = await call('POST', retry, { params: { job_name: 'nobody' }, data: { ...body, task_retrys: [key] } });
  seen.noWorkspace = await call('GET', factory + '/jobs', { headers: { workspace: '0'.repeat(32) } });
  seen.wrongKey = await call('GET', factory + '/jobs', {}, clientWith('another secret'));
  seen.v1 = await call('GET', '/v1/{project_id}/jobs/{job_name}');
  process.stdout.write('\n' + JSON.stringify(seen) + '\n');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
