/**
 * Loaded into firebase-tools, whose Functions emulator sends each call to a process of ours.
 *
 * Node.js keeps those connections open for the next call, and the server in our process closes a
 * connection that was idle for two seconds. A call sent at that moment ended in "socket hang up"
 * and an empty 500, which no deployed function answers.
 */
const http = require("node:http");

http.globalAgent = new http.Agent({ keepAlive: false });
