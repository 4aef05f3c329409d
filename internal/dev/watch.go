package dev

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long nothing must have happened before a change is
	// reported: an editor's save is several events, a checkout thousands.
	quiet = 5 * time.Millisecond
	// halfway is how long a file that is empty or gone, and was not, is taken for
	// one that is being saved: some editors write anew, others in another file.
	halfway = 40 * time.Millisecond
	// restless is how long a change waits at most while events keep coming.
	restless = 250 * time.Millisecond
	// hashLimit is the size in bytes up to which files are compared by content;
	// larger ones are by size and time.
	hashLimit = 1 << 20
	// pollEvery is how often a watcher looks that is not told of changes.
	pollEvery = 500 * time.Millisecond
)

// A watcher reports changes below a directory. It does not follow symbolic
// links, enter nested modules, or report a save that changed nothing.
type watcher struct {
	dir  string
	fs   *fsnotify.Watcher // nil if it polls
	seed maphash.Seed

	// Owned by run once newWatcher has returned.
	seen  map[string]uint64 // what a file was when last reported, by name
	dirty map[string]bool   // names of which there were events since
	stats map[string]stamp  // of files that are polled, by name
}

// A stamp is what tells, without reading it, that a file may have changed.
type stamp struct {
	size  int64
	time  time.Time
	round int // of polling, in which the file was there
}

// newWatcher watches dir and everything below. An error that matches
// errWatches comes with a watcher that sees a part of the tree.
func newWatcher(dir string, poll bool) (*watcher, error) {
	w := &watcher{dir: dir, seed: maphash.MakeSeed(), seen: map[string]uint64{}, dirty: map[string]bool{}, stats: map[string]stamp{}}
	var err error
	if !poll {
		if w.fs, err = fsnotify.NewWatcher(); err != nil {
			return nil, fmt.Errorf("dev: watch %s: %w", dir, explain(err))
		}
	}
	err = w.add(dir)
	w.changes()
	if err != nil {
		return w, fmt.Errorf("dev: watch %s: %w", dir, err)
	}
	return w, nil
}

// errWatches says that the system grants no more watches.
var errWatches = errors.New(watchesUsedUp(runtime.GOOS))

// watchesUsedUp says what is to be done about it: Linux counts watches, and BSD and
// macOS have a file open for each.
func watchesUsedUp(goos string) string {
	if goos == "linux" {
		return "the system's inotify watches are used up, so changes in some directories go unseen; " +
			"raise the limit with: sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024"
	}
	return "too many files are open, so changes in some directories go unseen; raise the limit with: ulimit -n 65536, or use --poll"
}

func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("%w (%w)", errWatches, err)
	}
	return err
}

// add watches the tree under path and marks its files. What vanishes meanwhile
// is no error.
func (w *watcher) add(path string) error {
	return filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				return nil
			}
			return err
		}
		if !d.IsDir() {
			w.mark(w.name(path))
			return nil
		}
		if path != w.dir {
			if skipped(d.Name()) {
				return fs.SkipDir
			}
			if _, err := os.Lstat(filepath.Join(path, "go.mod")); err == nil {
				return fs.SkipDir
			}
		}
		if w.fs == nil {
			return nil
		}
		// Watched before its files are read: no change can fall in between.
		if err := w.fs.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain(err)
		}
		return nil
	})
}

// run sends changes until ctx ends, then closes the watcher. Errors go to warn.
func (w *watcher) run(ctx context.Context, changes chan<- change, warn func(error)) {
	if w.fs == nil {
		w.poll(ctx, changes, warn)
		return
	}
	defer w.fs.Close()
	var (
		due   change
		out   chan<- change // nil unless due is complete
		since time.Time     // of the first event that is not in due
	)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		clean := len(w.dirty) == 0
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.fs.Events:
			if !ok {
				return
			}
			if err := w.handle(e); err != nil {
				warn(err)
			}
		case err, ok := <-w.fs.Errors:
			if !ok {
				return
			}
			if errors.Is(err, fsnotify.ErrEventOverflow) {
				err = w.lost()
			}
			if err != nil {
				warn(explain(err))
			}
		case <-timer.C:
			if time.Since(since) < halfway && w.saving() {
				timer.Reset(quiet)
				continue
			}
			if c := w.changes(); !c.empty() {
				due.merge(c)
				out = changes
			}
			continue
		case out <- due:
			due, out = change{}, nil
			continue
		}
		if len(w.dirty) == 0 {
			continue
		}
		if clean {
			since = time.Now()
		}
		timer.Reset(max(0, min(quiet, restless-time.Since(since))))
	}
}

// saving reports whether one of the marked files, which had been there, is empty
// or gone.
func (w *watcher) saving() bool {
	for name := range w.dirty {
		if _, known := w.seen[name]; !known {
			continue
		}
		if info, err := os.Stat(filepath.Join(w.dir, filepath.FromSlash(name))); err != nil || info.Size() == 0 {
			return true
		}
	}
	return false
}

// poll is run without a system that reports changes.
func (w *watcher) poll(ctx context.Context, changes chan<- change, warn func(error)) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var due change
	for round := 1; ; round++ {
		if err := w.look(round); err != nil {
			warn(fmt.Errorf("dev: watch %s: %w", w.dir, err))
		}
		due.merge(w.changes())
		out := changes
		if due.empty() {
			out = nil
		}
		select {
		case <-ctx.Done():
			return
		case out <- due:
			due = change{}
		case <-tick.C:
		}
	}
}

// look marks the files that have another stamp than in the round before, are
// new or have gone.
func (w *watcher) look(round int) error {
	known := maps.Clone(w.dirty)
	err := w.add(w.dir) // marks every file
	for name := range w.dirty {
		info, err := os.Stat(filepath.Join(w.dir, filepath.FromSlash(name)))
		if err != nil {
			continue
		}
		old, ok := w.stats[name]
		now := stamp{info.Size(), info.ModTime(), round}
		w.stats[name] = now
		if ok && old.size == now.size && old.time.Equal(now.time) && !known[name] {
			delete(w.dirty, name)
		}
	}
	for name, s := range w.stats {
		if s.round != round {
			delete(w.stats, name)
			w.mark(name)
		}
	}
	return err
}

// handle marks what the event is about.
func (w *watcher) handle(e fsnotify.Event) error {
	if e.Op == fsnotify.Chmod {
		return nil
	}
	name := w.name(e.Name)
	if info, err := os.Lstat(e.Name); err == nil && info.IsDir() {
		if e.Has(fsnotify.Create) && !skipped(info.Name()) {
			return w.add(e.Name)
		}
		return nil
	}
	w.mark(name)
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		for file := range w.seen {
			if strings.HasPrefix(file, name+"/") {
				w.mark(file)
			}
		}
	}
	return nil
}

// lost marks everything, because the system dropped events.
func (w *watcher) lost() error {
	for name := range w.seen {
		w.mark(name)
	}
	return w.add(w.dir)
}

func (w *watcher) mark(name string) {
	if classify(name) != ignored {
		w.dirty[name] = true
	}
}

// changes returns which of the marked files differ from what was last seen of
// them, and marks none any more.
func (w *watcher) changes() (c change) {
	for _, name := range slices.Sorted(maps.Keys(w.dirty)) {
		old, known := w.seen[name]
		sum, err := w.sum(filepath.Join(w.dir, filepath.FromSlash(name)))
		switch {
		case err != nil && known:
			delete(w.seen, name)
			c.add(name)
		case err == nil && (!known || sum != old):
			w.seen[name] = sum
			c.add(name)
		}
	}
	clear(w.dirty)
	return c
}

// sum stands for the content of a file.
func (w *watcher) sum(path string) (uint64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if info.IsDir() {
		return 0, fs.ErrInvalid
	}
	var h maphash.Hash
	h.SetSeed(w.seed)
	if info.Size() > hashLimit {
		fmt.Fprint(&h, info.Size(), info.ModTime().UnixNano())
		return h.Sum64(), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, err = io.Copy(&h, f)
	return h.Sum64(), err
}

// name is the path relative to the watched directory, with slashes.
func (w *watcher) name(path string) string {
	rel, err := filepath.Rel(w.dir, path)
	if err != nil {
		rel = path
	}
	return filepath.ToSlash(rel)
}
