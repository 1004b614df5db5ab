DROP INDEX ft_content ON articles;
