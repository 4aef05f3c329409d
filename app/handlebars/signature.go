package handlebars

import (
	"reflect"
	"sync"
)

// A signatureCache knows the types of functions that were called, so that those in the data are checked once.
type signatureCache struct{ types sync.Map } // reflect.Type to *signature

func (c *signatureCache) of(t reflect.Type) (*signature, error) {
	if s, ok := c.types.Load(t); ok {
		return s.(*signature), nil
	}
	s, err := newSignature(t)
	if err != nil {
		return nil, err
	}
	c.types.Store(t, s)
	return s, nil
}
