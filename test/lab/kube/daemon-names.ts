export const ETCD = 'etcd';
export const API_SERVER = 'kube-apiserver';
export const CONTROLLER_MANAGER = 'kube-controller-manager';
export const SCHEDULER = 'kube-scheduler';
export const KWOK = 'kwok';

/** In the order in which they are started; they are stopped the other way round, so that nobody misses what it needs. */
export const DAEMONS = [ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, KWOK] as const;
