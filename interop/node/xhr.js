// XMLHttpRequest as far as autobahn-js needs it for long-polling, which Node lacks: POST requests,
// over connections that are kept, so that requests of one client stay in order.

import http from "node:http";

const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });

export class XMLHttpRequest {
  readyState = 0;
  status = 0;
  statusText = "";
  responseText = "";
  #headers = {};

  open(method, url) {
    this.method = method;
    this.url = url;
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  send(body) {
    const options = { method: this.method, headers: this.#headers, agent, timeout: this.timeout };
    const request = http.request(this.url, options, (response) => {
      response.setEncoding("utf8");
      response.on("data", (text) => { this.responseText += text; });
      response.on("end", () => this.#done(response.statusCode, response.statusMessage));
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", (error) => this.#done(0, error.message));
    request.end(body ?? "");
  }

  #done(status, statusText) {
    if (this.readyState === 4) return;
    [this.readyState, this.status, this.statusText] = [4, status, statusText];
    this.onreadystatechange?.();
  }
}
