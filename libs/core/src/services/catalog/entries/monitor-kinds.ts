/** What charts make for the Prometheus operator; the service monitoring brings the kind. */
export const MONITOR_KINDS = ['monitoring.coreos.com/v1/ServiceMonitor'] as const;
