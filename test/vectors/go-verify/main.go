// Command go-verify checks, with golang.org/x/mod/sumdb, a log directory that FedCredit wrote:
// the signed checkpoint, every tile and entry, the root, and the given inclusion and consistency proofs.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proofs struct {
	Key       string
	Inclusion []struct {
		Index, Size int64
		Root        []byte
		Proof       [][]byte
		Entry       []byte
	}
	Consistency []struct {
		OldSize, Size int64
		OldRoot, Root []byte
		Proof         [][]byte
	}
}

func main() {
	log.SetFlags(0)
	if err := verify(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func verify(dir string) error {
	var in proofs
	text, err := os.ReadFile(filepath.Join(dir, "proofs.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	tree, err := openCheckpoint(dir, in.Key)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := checkTiles(dir, tree); err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	for _, p := range in.Inclusion {
		if err := tlog.CheckRecord(hashes(p.Proof), p.Size, hash(p.Root), p.Index, tlog.RecordHash(p.Entry)); err != nil {
			return fmt.Errorf("inclusion of %d in %d: %w", p.Index, p.Size, err)
		}
	}
	for _, p := range in.Consistency {
		if err := tlog.CheckTree(hashes(p.Proof), p.Size, hash(p.Root), p.OldSize, hash(p.OldRoot)); err != nil {
			return fmt.Errorf("consistency of %d with %d: %w", p.Size, p.OldSize, err)
		}
	}
	fmt.Printf("ok: %d entries, %d inclusion and %d consistency proofs\n", tree.N, len(in.Inclusion), len(in.Consistency))
	return nil
}

// tlog.ParseTree takes the Go checksum database's origin line only; the note around it is the same.
func openCheckpoint(dir, key string) (tlog.Tree, error) {
	var tree tlog.Tree
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("not three lines of %s", verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		return tree, err
	}
	tree.Hash = hash(root)
	return tree, nil
}

func checkTiles(dir string, tree tlog.Tree) error {
	reader := tlog.TileHashReader(tree, &tileReader{dir})
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the tiles have another root")
	}
	for start := int64(0); start < tree.N; start += 256 {
		width := min(256, tree.N-start)
		path := tlog.Tile{H: 8, L: -1, N: start / 256, W: int(width)}.Path()
		bundle, err := os.ReadFile(filepath.Join(dir, strings.Replace(path, "tile/8/data/", "tile/entries/", 1)))
		if err != nil {
			return err
		}
		for i := start; i < start+width; i++ {
			n := int(binary.BigEndian.Uint16(bundle))
			want, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
			if err != nil {
				return err
			}
			if tlog.RecordHash(bundle[2:2+n]) != want[0] {
				return fmt.Errorf("entry %d is not the tile's", i)
			}
			bundle = bundle[2+n:]
		}
		if len(bundle) > 0 {
			return fmt.Errorf("bytes after the last entry")
		}
	}
	return nil
}

type tileReader struct{ dir string }

func (r *tileReader) Height() int                     { return 8 }
func (r *tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		var err error
		// C2SP tlog-tiles leaves out the height, which is always 8.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		if data[i], err = os.ReadFile(filepath.Join(r.dir, path)); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func hash(b []byte) (h tlog.Hash) {
	if len(b) != tlog.HashSize {
		log.Fatalf("a hash of %d bytes", len(b))
	}
	copy(h[:], b)
	return h
}

func hashes(list [][]byte) []tlog.Hash {
	out := make([]tlog.Hash, len(list))
	for i, b := range list {
		out[i] = hash(b)
	}
	return out
}
