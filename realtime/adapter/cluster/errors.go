package cluster

import "errors"

var (
	// ErrUnfit is wrapped by the error of an engine for a message that it can never
	// send.
	ErrUnfit = errors.New("the engine cannot carry the message")

	// ErrTrimmed is returned by a log for a place that it no longer reaches back to.
	ErrTrimmed = errors.New("the log does not reach back so far")

	// ErrUnreadable is wrapped by the error of a log in which something stands that
	// cannot be read, and never will be: nobody knows who was to have it.
	ErrUnreadable = errors.New("something in the log is no message for this node")
)

// errApart is why a node that has just been started can ask nobody.
var errApart = errors.New("the other nodes have not been reached yet")

// errCrowd is why a node that is one too many is not listened to.
var errCrowd = errors.New("there are more nodes than can be true")

// errSilent is why nodes that do not answer are not waited for any more.
var errSilent = errors.New("they did not answer in time; see Options.RequestTimeout")
