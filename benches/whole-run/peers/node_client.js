// All actions of a file with asterisk-ami-client, their answers as JSON.
// Usage: node_client.js PORT USER SECRET-FILE ACTIONS JSON
"use strict";
const fs = require("fs");
const AmiClient = require("asterisk-ami-client");

const [port, user, secret, actions, target] = process.argv.slice(2);
const asked = fs.readFileSync(actions, "utf8").split("\r\n\r\n").filter((block) => block.trim())
    .map((block) => Object.fromEntries(block.split("\r\n").map((line) => {
        const colon = line.indexOf(": ");
        return [line.slice(0, colon), line.slice(colon + 2)];
    })))
    .filter((headers) => headers.Action !== "Logoff");

const client = new AmiClient({ reconnect: false });
const rows = [];
client.connect(user, fs.readFileSync(secret, "utf8").trim(), { host: "127.0.0.1", port: Number(port) })
    .then(() => {
        client.on("event", (event) => rows.push(event));
        client.on("response", (response) => {
            rows.push(response);
            // Asterisk answers in order, and the last action that is asked is a Ping.
            if (response.ActionID === "the-last") {
                fs.writeFileSync(target, JSON.stringify(rows));
                client.disconnect();
                process.exit(0);
            }
        });
        asked.forEach((headers) => client.action({ ...headers }));
        client.action({ Action: "Ping", ActionID: "the-last" });
    })
    .catch((error) => { console.error(error); process.exit(1); });
setTimeout(() => process.exit(1), 60000);
