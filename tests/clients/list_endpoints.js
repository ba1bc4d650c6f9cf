// Lists the endpoints of a PBX with asterisk-ami-client, one a line.
// Usage: list_endpoints.js PORT USER PASSWORD; ends with 1 where something is not as Asterisk does it.
'use strict';

const assert = require('assert');
const AmiClient = require('asterisk-ami-client');

const [port, user, password] = process.argv.slice(2);
const client = new AmiClient({ reconnect: false, keepAlive: false, eventFilter: null });

/** All rows of a list, up to its closing event. */
function rows(action, complete) {
    return new Promise(resolve => {
        const found = [];
        const id = `list-${action}`;
        client.on('event', event => {
            if (event.ActionID !== id) {
                return;
            }
            found.push(event);
            if (event.Event === complete) {
                resolve(found);
            }
        });
        client.action({ Action: action, ActionID: id });
    });
}

async function main() {
    await client.connect(user, password, { host: '127.0.0.1', port: Number(port) });
    const pong = await client.action({ Action: 'Ping' }, true);
    assert.strictEqual(pong.Ping, 'Pong');
    const unknown = await client.action({ Action: 'NoSuchAction' }, true);
    assert.strictEqual(unknown.Response, 'Error');
    assert.match(unknown.Message, /^Invalid\/unknown command/);
    const queues = await rows('QueueStatus', 'QueueStatusComplete');
    assert(queues.some(row => row.Event === 'QueueMember'));
    const endpoints = await rows('PJSIPShowEndpoints', 'EndpointListComplete');
    for (const row of endpoints.filter(row => row.Event === 'EndpointList')) {
        console.log(row.ObjectName);
    }
    client.disconnect();
}

setTimeout(() => { console.error('no answer in time'); process.exit(1); }, 30000).unref();
main().catch(error => { console.error(error); process.exit(1); });
