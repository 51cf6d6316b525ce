// Holds objects of kinds that Kubernetes itself does not know against their own schemas: a JSON array on standard input.
import { PrometheusRule, ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1";
import { text } from "node:stream/consumers";

const kinds = { PrometheusRule, ServiceMonitor, HTTPRoute };

for (const object of JSON.parse(await text(process.stdin))) {
  const made = new kinds[object.kind](object);
  if (made.apiVersion !== object.apiVersion) throw new Error(`${object.kind} of ${object.apiVersion} is unknown`);
  made.validate();
  console.log(`${object.kind} ${object.metadata.name}`);
}
