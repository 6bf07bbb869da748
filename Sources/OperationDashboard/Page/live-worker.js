// One connection for all tabs: a browser opens few to one server, and a second stream would say the same.

import { Connection } from './connection.js';

const ports = new Set();
const connection = new Connection((message) => {
  for (const port of ports) port.postMessage(message);
});

self.onconnect = ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data === 'bye') ports.delete(port);
    if (data === 'retry') connection.retry();
    if (ports.size === 0) connection.stop();
  };
  port.start();
  connection.start();
  for (const message of connection.present()) port.postMessage(message);
};
