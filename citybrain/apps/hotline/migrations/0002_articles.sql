-- SPDX-License-Identifier: Apache-2.0

ALTER TABLE hotline_article ADD COLUMN kind text NOT NULL DEFAULT 'article';
COMMENT ON COLUMN hotline_article.kind IS 'article, or script.<stage>: what clerks say at a stage of a call.';

CREATE TABLE hotline_article_version (
    article_id bigint NOT NULL REFERENCES hotline_article (id) ON DELETE CASCADE,
    at timestamptz NOT NULL,
    by text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    public boolean NOT NULL,
    valid_until date
);
COMMENT ON TABLE hotline_article_version IS 'Articles as they were saved, each time: who wrote what, and when.';
CREATE INDEX hotline_article_version_article ON hotline_article_version (article_id, at);
INSERT INTO hotline_article_version (article_id, at, by, title, body, public, valid_until)
SELECT id, changed_at, changed_by, title, body, public, valid_until FROM hotline_article;
