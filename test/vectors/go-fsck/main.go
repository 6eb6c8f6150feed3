// Command go-fsck checks a log directory that FedCredit wrote with the tools of the Tessera project: fsck over its
// tiles and entries, and a witness's cosignature of its checkpoint.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

// Arguments: the log's directory, its verifier key, that of a witness (the key id of its cosignatures follows from it).
func main() {
	log.SetFlags(0)
	if err := check(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}

func check(dir, logKey, witnessKey string) error {
	verifier, err := fnote.NewVerifier(logKey)
	if err != nil {
		return fmt.Errorf("log key: %w", err)
	}
	witness, err := fnote.NewVerifierForCosignatureV1(witnessKey)
	if err != nil {
		return fmt.Errorf("witness key: %w", err)
	}
	checkpoint, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	opened, err := note.Open(checkpoint, note.VerifierList(verifier, witness))
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if len(opened.Sigs) != 2 {
		return fmt.Errorf("checkpoint: %d signatures verify, of log and witness", len(opened.Sigs))
	}
	files := &client.FileFetcher{Root: dir}
	if err := fsck.New(verifier.Name(), verifier, files, leafHashes, fsck.Opts{N: 2}).Check(context.Background()); err != nil {
		return fmt.Errorf("fsck: %w", err)
	}
	return nil
}

func leafHashes(bundle []byte) ([][]byte, error) {
	entries := &api.EntryBundle{}
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(entries.Entries))
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}
