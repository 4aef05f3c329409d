package scaffold

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// place writes the files beside the app's directory and moves them there.
func (a App) place(ctx context.Context, files map[string][]byte) error {
	dir, err := filepath.Abs(a.Dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	if err := fill(ctx, temp, files); err != nil {
		return err
	}
	if err := a.repository(ctx, temp); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(temp, dir)
}

// overwrite moves the files into a directory that has others. A symbolic link
// does not lead it elsewhere.
func (a App) overwrite(ctx context.Context, files map[string][]byte) error {
	root, err := os.OpenRoot(a.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	// Whatever stands in the way is found before the first file is moved.
	for name := range files {
		if dir := path.Dir(name); dir != "." {
			if err := root.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		if info, err := root.Lstat(name); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a directory, and has to be a file", filepath.Join(a.Dir, name))
		}
	}
	temp, err := os.MkdirTemp(a.Dir, ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := fill(ctx, temp, files); err != nil {
		return err
	}
	for name := range files {
		if err := root.Rename(path.Join(filepath.Base(temp), name), name); err != nil {
			return err
		}
	}
	return a.repository(ctx, a.Dir)
}

// fill writes files into an empty directory.
func fill(ctx context.Context, dir string, files map[string][]byte) error {
	for name, text := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// repository makes dir a Git repository, without a commit, if that is wanted
// and it is in none.
func (a App) repository(ctx context.Context, dir string) error {
	if _, err := exec.LookPath("git"); err != nil || !a.Git {
		return nil
	}
	if a.git(ctx, dir, "rev-parse", "--git-dir") == nil {
		return nil
	}
	if err := a.git(ctx, dir, "init", "--quiet"); err != nil {
		return fmt.Errorf("%w; --no-git does without", err)
	}
	return nil
}

func (a App) git(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	// Under a hook of Git these name another repository.
	cmd.Env = slices.DeleteFunc(append(os.Environ(), "PWD="+dir), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"}, name)
	})
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}
