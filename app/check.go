package app

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
)

// A Checker is an [Engine] that can say beforehand what is wrong with the views of a directory.
type Checker interface {
	Check(views fs.FS, extension string) error // the mistakes, joined, or nil
}

// CheckViews compiles every view of the application and of those mounted in it, with the engines that are a [Checker],
// and returns what is wrong with them, joined, or nil. [App.Serve] calls it in production, so that a broken template
// stops a program when it starts and not when somebody asks for the page; in a test it says the same before that.
func (a *App) CheckViews() error {
	a.start()
	return errors.Join(a.checkViews(nil)...)
}

func (a *App) checkViews(errs []error) []error {
	for _, fsys := range a.options.views {
		if _, err := fs.Stat(fsys, "."); err != nil {
			continue // an application without views
		}
		for _, extension := range slices.Sorted(maps.Keys(a.allEngines())) {
			if c, ok := a.engine(extension).(Checker); ok {
				errs = append(errs, c.Check(fsys, "."+extension))
			}
		}
	}
	return a.Router.checkViews(errs)
}

func (r *Router) checkViews(errs []error) []error {
	for _, l := range r.layers {
		switch {
		case l.app != nil:
			errs = l.app.checkViews(errs)
		case l.router != nil:
			errs = l.router.checkViews(errs)
		}
	}
	return errs
}

// allEngines are the engines of the application and of those around it.
func (a *App) allEngines() map[string]Engine {
	all := map[string]Engine{}
	for ; a != nil; a = a.parent {
		maps.Copy(all, a.engines)
	}
	return all
}
