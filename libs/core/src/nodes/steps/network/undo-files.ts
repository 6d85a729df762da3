export const STATE_DIRECTORY = '/var/lib/bramble';
/** A change that is not settled yet: the files before it, those after it, and how to go from one to the other. */
export const ARMED = `${STATE_DIRECTORY}/network-undo`;
/** The same while it is made, and while it is undone. */
export const UNFINISHED = `${ARMED}.new`;
export const FIRING = `${ARMED}.firing`;
/** There when the change has been made. */
export const DONE = `${ARMED}/done`;
