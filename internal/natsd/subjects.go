package natsd

import (
	"math/rand/v2"
	"strings"
)

// A subscription is what a client has asked for. Its fields are guarded by the
// server's mu, or never change.
type subscription struct {
	client         *client
	subject, queue string // static
	sid            string // static; the client's name for it
	given          int    // messages so far
	most           int    // with which it ends; 0 is never
}

// subjects are the subscriptions of a server, guarded by its mu.
type subjects struct {
	plain map[string]map[*subscription]struct{} // by subject
	wild  map[*subscription]struct{}            // those with wildcards
}

func newSubjects() subjects {
	return subjects{map[string]map[*subscription]struct{}{}, map[*subscription]struct{}{}}
}

func (s subjects) add(sub *subscription) {
	if hasWildcard(sub.subject) {
		s.wild[sub] = struct{}{}
		return
	}
	if s.plain[sub.subject] == nil {
		s.plain[sub.subject] = map[*subscription]struct{}{}
	}
	s.plain[sub.subject][sub] = struct{}{}
}

func (s subjects) remove(sub *subscription) {
	delete(s.wild, sub)
	if same := s.plain[sub.subject]; same != nil {
		delete(same, sub)
		if len(same) == 0 {
			delete(s.plain, sub.subject)
		}
	}
}

// receivers are the subscriptions that a message on a subject is for, of those that
// may have it: all that are alone, and one of each queue group.
func (s subjects) receivers(subject string, may func(*subscription) bool) (list []*subscription) {
	groups := map[[2]string][]*subscription{}
	consider := func(sub *subscription) {
		switch {
		case !may(sub):
		case sub.queue == "":
			list = append(list, sub)
		default:
			group := [2]string{sub.subject, sub.queue}
			groups[group] = append(groups[group], sub)
		}
	}
	for sub := range s.plain[subject] {
		consider(sub)
	}
	for sub := range s.wild {
		if matches(sub.subject, subject) {
			consider(sub)
		}
	}
	for _, members := range groups {
		list = append(list, members[rand.IntN(len(members))])
	}
	return list
}

// valid reports whether a subject is one that can be subscribed to: tokens with dots
// between them, of which "*" stands for any one and a last ">" for all that follow.
func valid(subject string) bool {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" {
			return false
		}
	}
	before, after, found := strings.Cut("."+subject+".", ".>.")
	return !found || after == "" && !strings.Contains(before, ".>.")
}

func hasWildcard(subject string) bool {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "*" || token == ">" {
			return true
		}
	}
	return false
}

// matches reports whether a subject is one of those that a pattern stands for.
func matches(pattern, subject string) bool {
	for {
		want, patterns, more := strings.Cut(pattern, ".")
		token, tokens, left := strings.Cut(subject, ".")
		switch {
		case want == ">":
			return true
		case want != "*" && want != token:
			return false
		case !more || !left:
			return more == left
		}
		pattern, subject = patterns, tokens
	}
}
