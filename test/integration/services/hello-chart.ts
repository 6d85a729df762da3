import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TEMPLATE = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data: {{ .Values.broken | default (dict "colour" .Values.colour) | toJson }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
stringData:
  secret: {{ .Values.secret | quote }}
{{- with .Values.hook }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $.Release.Name }}-hook
  annotations:
    helm.sh/hook: {{ . | quote }}
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: hook, image: hook }]
{{- end }}
`;

/**
 * A chart with a ConfigMap that has `colour`, a Secret that has `secret`, and where `hook` names one a hook that never
 * ends. `broken` is taken for the ConfigMap's data.
 */
export function writeHelloChart(directory: string): void {
  mkdirSync(join(directory, 'templates'), { recursive: true });
  const about = { apiVersion: 'v2', name: 'hello', version: '0.1.0', appVersion: '7.1' };
  writeFileSync(join(directory, 'Chart.yaml'), JSON.stringify(about));
  writeFileSync(join(directory, 'values.yaml'), JSON.stringify({ colour: 'blue', secret: '', hook: '' }));
  writeFileSync(join(directory, 'templates/hello.yaml'), TEMPLATE);
}
