CREATE FULLTEXT INDEX ft_content ON articles (content);
