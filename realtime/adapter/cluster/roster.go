package cluster

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// roster is which sessions there are of a node in a namespace, on pages that the engine
// keeps: by them the other nodes find its sessions when it is gone, without an engine's
// having to search. There is one only where somebody wants to be told of sessions that
// expire. The saver's flight guards it.
type roster struct {
	pages []rosterPage
	on    map[string]int // the page of each PID
	free  int            // the pages before it are full
}

// rosterPage is the value of a record. Few sessions stand on it, because all of it is
// saved when one comes or goes.
type rosterPage struct {
	PIDs []string `json:"pids"`

	saved time.Time // the zero time when it has changed since
}

// rosterPageSize is how many sessions a page has at most.
const rosterPageSize = 64

func (r *roster) add(pid string) {
	if _, there := r.on[pid]; there {
		return
	}
	for r.free < len(r.pages) && len(r.pages[r.free].PIDs) == rosterPageSize {
		r.free++
	}
	if r.free == len(r.pages) {
		r.pages = append(r.pages, rosterPage{})
	}
	p := &r.pages[r.free]
	p.PIDs, p.saved = append(p.PIDs, pid), time.Time{}
	r.on[pid] = r.free
}

func (r *roster) remove(pid string) {
	i, there := r.on[pid]
	if !there {
		return
	}
	delete(r.on, pid)
	p := &r.pages[i]
	at := slices.Index(p.PIDs, pid)
	p.PIDs, p.saved = slices.Delete(p.PIDs, at, at+1), time.Time{}
	r.free = min(r.free, i)
}

// due returns the pages that have to be saved: they have changed, or would expire.
func (r *roster) due(now time.Time) (pages []int) {
	for i := range r.pages {
		if now.Sub(r.pages[i].saved) > liveFor/3 {
			pages = append(pages, i)
		}
	}
	return pages
}

// records returns what is to be saved of pages of a node's roster in a namespace.
func (r *roster) records(node, namespace string, pages []int, keep time.Duration) (records []Record) {
	for _, i := range pages {
		value, _ := json.Marshal(r.pages[i]) // of texts
		records = append(records, Record{Key: rosterKey(node, namespace, i), Value: value, Keep: keep})
	}
	return records
}

// saved notes that pages have been saved.
func (r *roster) saved(pages []int, now time.Time) {
	for _, i := range pages {
		r.pages[i].saved = now
	}
}

// rosterKey is the key of a page. No PID is one.
func rosterKey(node, namespace string, page int) string {
	return leaseKey(node, namespace) + "-" + strconv.Itoa(page)
}
